"""One Node process with memshim's clients (test/suites/bridge/main.ts), and calls of them over pipes, as pickles.

MEMSHIM_NODE and MEMSHIM_BRIDGE name the interpreter and the program.
"""

import atexit
import builtins
import io
import json
import os
import pickle
import select
import struct
import subprocess
import threading
import weakref
import zlib

# Exception classes of the module on top, by name.
exceptions = {}


class BridgeError(RuntimeError):
    """Neither a result nor an exception of Python: a fault of the bridge or of memshim."""


class Kept:
    """A value that stays in this process: the other side can only give it back."""

    def __init__(self, value):
        self.value = value


def as_key(key):
    """A key as pickles can carry it: subclasses of str and bytes are what they stand for, and what cannot be pickled is not a key."""
    for base in (str, bytes):
        if isinstance(key, base):
            return key if type(key) is base else base.__str__(key) if base is str else bytes(key)
    if isinstance(key, tuple):
        return tuple(as_key(part) for part in key)
    try:
        pickle.dumps(key, 4)
    except Exception:
        return object()
    return key


class Objects:
    """Values that stay here during one call, by the id under which they cross."""

    def __init__(self):
        self.values = []

    def dump(self, message, protocol):
        out = io.BytesIO()
        pickler = ObjectPickler(out, protocol, self.values)
        pickler.dump(message)
        return out.getvalue()

    def load(self, data):
        return ObjectUnpickler(io.BytesIO(data), self.values).load()


class ObjectPickler(pickle.Pickler):
    def __init__(self, out, protocol, values):
        super().__init__(out, protocol)
        self.values = values

    def persistent_id(self, value):
        if type(value) is not Kept:
            return None
        self.values.append(value.value)
        return str(len(self.values) - 1)


class ObjectUnpickler(pickle.Unpickler):
    def __init__(self, data, values):
        super().__init__(data)
        self.values = values

    def persistent_load(self, name):
        return self.values[int(name)]


class Bridge:
    def __init__(self):
        self.process_id = os.getpid()
        self.lock = threading.RLock()
        self.hook_thread = None
        self.objects = None
        self.owners = weakref.WeakValueDictionary()
        self.dropped = []
        self.calls = 0
        self.debug = None
        self.hooks_in, their_out = os.pipe()
        their_in, self.hooks_out = os.pipe()
        self.node = subprocess.Popen(
            [os.environ["MEMSHIM_NODE"], os.environ["MEMSHIM_BRIDGE"], str(their_out), str(their_in)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=(their_out, their_in), bufsize=0,
        )  # fmt: skip
        os.close(their_out)
        os.close(their_in)
        self.requests, self.replies = self.node.stdin.fileno(), self.node.stdout.fileno()

    def call(self, library, operation, client, *args, protocol=4):
        """What the operation returns. Raises what Python's library would raise, and BridgeError."""
        if threading.current_thread() is self.hook_thread:
            write(self.hooks_out, self.objects.dump(["call", library, operation, client, list(args)], protocol))
            return self.result(self.objects.load(read(self.hooks_in)))
        with self.lock:
            self.calls += 1
            # References to the arguments end with the call: programs count them.
            self.objects = Objects()
            try:
                return self.asked(library, operation, client, args, protocol)
            finally:
                self.objects = None

    def asked(self, library, operation, client, args, protocol):
        dropped, self.dropped = self.dropped, []
        write(self.requests, self.objects.dump([library, operation, client, list(args), dropped], protocol))
        while True:
            ready, _, _ = select.select([self.replies, self.hooks_in], [], [])
            if self.hooks_in not in ready:
                break
            self.hook()
        lines, *reply = self.objects.load(read(self.replies))
        for line in lines:
            self.debug(line)
        return self.result(reply)

    def result(self, reply):
        kind, *rest = reply
        if kind == "ok":
            return self.objects.load(rest[0])
        if kind == "raise":
            raise rest[0]
        raise exception(*rest)

    def hook(self):
        """Runs a function of the client on a thread of its own: a traceback that it keeps must not keep the arguments of the call."""
        _, client, name, args = self.objects.load(read(self.hooks_in))
        answer = []

        def work():
            try:
                answer.extend(["return", self.owners[client].hook(name, args)])
            except Exception as error:
                answer.extend(["miss"] if type(error).__name__ == "CacheMiss" else ["raise", Kept(error)])

        self.hook_thread = threading.Thread(target=work)
        self.hook_thread.start()
        self.hook_thread.join()
        self.hook_thread = None
        write(self.hooks_out, self.objects.dump(answer, 4))

    def close(self):
        if os.environ.get("MEMSHIM_BRIDGE_CALLS"):
            with open(os.environ["MEMSHIM_BRIDGE_CALLS"], "a", encoding="ascii") as file:
                file.write(json.dumps(self.calls) + "\n")
        self.node.stdin.close()
        try:
            self.node.wait(5)
        except subprocess.TimeoutExpired:
            self.node.kill()


def write(descriptor, data):
    frame = memoryview(struct.pack("<I", len(data)) + data)
    while frame:
        frame = frame[os.write(descriptor, frame) :]


def read(descriptor):
    return exactly(descriptor, struct.unpack("<I", exactly(descriptor, 4))[0])


def exactly(descriptor, count):
    parts = []
    while count:
        part = os.read(descriptor, min(count, 1 << 20))
        if not part:
            raise BridgeError("the Node process has ended")
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def exception(name, message, code, stack):
    if name is None:
        return BridgeError(stack or message)
    module, _, short = name.rpartition(".")
    if module == "builtins":
        kind = getattr(builtins, short)
    else:
        kind = {"socket.error": OSError, "zlib.error": zlib.error, "_pickle.PicklingError": pickle.PicklingError,
                "_pickle.UnpicklingError": pickle.UnpicklingError}.get(name) or exceptions[short]  # fmt: skip
    if kind is UnicodeEncodeError:
        return kind("utf-8", "?", 0, 1, message)
    if kind is UnicodeDecodeError:
        return kind("utf-8", b"?", 0, 1, message)
    error = kind(message)
    error.code = code
    return error


_bridge = None
_making = threading.Lock()


def bridge():
    """The bridge of this process: a forked one gets its own."""
    global _bridge
    with _making:
        if _bridge is None or _bridge.process_id != os.getpid():
            _bridge = Bridge()
            atexit.register(_bridge.close)
        return _bridge
