"""Records an application's calls of python-memcached, pylibmc or pymemcache, in memshim's trace format (docs/formats.md, "Traces").

    MEMSHIM_TRACE=app.jsonl python -m memshim_tracer script.py arguments...    one program; or: -m module arguments...
    python -m memshim_tracer --enable                                          from now on MEMSHIM_TRACE alone starts a trace in every
    MEMSHIM_TRACE=app.jsonl gunicorn shop.wsgi                                 Python process of this environment; --disable ends that
    import memshim_tracer; memshim_tracer.install("app.jsonl")                 from inside the application

One file, standard library only, Python 2.7 and 3.6 to 3.13: copy it to where the application runs, or `pip install` its folder.
The methods of memcache.Client, pylibmc.Client and pymemcache's clients are wrapped. The application sees no difference: an error in here is counted
(`status()`) and never raised. Every process writes a file of its own: a worker with the process id 123 writes app.123.jsonl.
A trace holds keys and values: treat it like a copy of the cache. Options and their cost: docs/audit.md.
"""

from __future__ import print_function

import atexit
import base64
import binascii
import functools
import json
import os
import platform
import re
import sys
import threading
import time
import zlib

try:
    import cPickle as pickle
except ImportError:
    import pickle
try:
    import contextvars
except ImportError:
    contextvars = None
try:
    import fcntl
except ImportError:
    fcntl = None
try:
    import _thread
except ImportError:
    import thread as _thread

PYTHON2 = sys.version_info[0] == 2
TEXT = type(u"")
INTEGERS = (int, long) if PYTHON2 else (int,)  # noqa: F821
SAFE = 2**53 - 1
REPEAT_FROM = 256
# A container with more elements than this in total is pickled as a whole.
LARGEST_CONTAINER = 64
# Longer bytes are written as a pickle in base64: three times faster, and shorter.
LARGEST_BYTES = 4096
# Lines stay in memory until they have this number of bytes, or for this number of seconds.
LARGEST_BUFFER = 65536
LONGEST_WAIT = 0.05
# The first line has a fixed length, because it is rewritten when a new server or framework appears.
HEADER = 2048
MARK = "_memshim_tracer"
monotonic = getattr(time, "monotonic", time.time)
# Saved now, because gevent may replace them all later, and threads of one kind must not use locks of the other.
_sleep = time.sleep
_start_thread = _thread.start_new_thread
_allocate_lock = _thread.allocate_lock
# A signal handler may call the cache while the lock is held by the same thread; Python 2 has no fast lock for that.
# Not threading.RLock, which makes gevent's locks after gevent has replaced its parts: threads and greenlets would wait without end.
_lock = threading.Lock if PYTHON2 else _thread.RLock
_quote = json.encoder.encode_basestring_ascii

# The positions of keys and values among the arguments of a method: (kind, key, value).
ROLES = {
    "get": ("one", 0, 1), "gets": ("one", 0, None), "set": ("one", 0, 1), "add": ("one", 0, 1), "replace": ("one", 0, 1),
    "append": ("one", 0, 1), "prepend": ("one", 0, 1), "cas": ("one", 0, 1), "incr": ("one", 0, None), "decr": ("one", 0, None),
    "delete": ("one", 0, None), "touch": ("one", 0, None), "_deletetouch": ("one", 2, None), "check_key": ("one", 0, None),
    "hash": ("one", 0, None), "__getitem__": ("one", 0, None), "__setitem__": ("one", 0, 1), "__delitem__": ("one", 0, None),
    "__contains__": ("one", 0, None), "get_multi": ("many", 0, None), "delete_multi": ("many", 0, None),
    "incr_multi": ("many", 0, None), "set_multi": ("mapping", 0, 0), "add_multi": ("mapping", 0, 0),
    "get_many": ("many", 0, None), "gets_many": ("many", 0, None), "gets_multi": ("many", 0, None), "delete_many": ("many", 0, None),
    "set_many": ("mapping", 0, 0),
}  # fmt: skip
KEY_WORDS = ("key", "keys", "mapping", "values")
VALUE_WORDS = ("val", "value", "default")
# Position of key_prefix in pylibmc's methods, which are written in C and have no signature.
PYLIBMC_PREFIX = {"get_multi": 1, "delete_multi": 1, "incr_multi": 1, "set_multi": 2, "add_multi": 2}
# Constructor keywords of python-memcached that are data, with the attribute that keeps them.
SETTINGS = {
    "debug": "debug", "pickleProtocol": "pickleProtocol", "server_max_key_length": "server_max_key_length",
    "server_max_value_length": "server_max_value_length", "dead_retry": "dead_retry", "socket_timeout": "socket_timeout",
    "cache_cas": "cache_cas", "flush_on_reconnect": "flush_on_reconnect", "check_keys": "do_check_key",
}  # fmt: skip
# Frameworks between an application and the client: prefixes of module names, and the distribution's name.
FRAMEWORKS = (
    ("django.core.cache", "Django"), ("django.contrib.", "Django"), ("django.middleware.cache", "Django"),
    ("django.templatetags.cache", "Django"), ("django.utils.cache", "Django"), ("flask_caching", "Flask-Caching"),
    ("cachelib", "cachelib"), ("dogpile.", "dogpile.cache"), ("beaker.", "Beaker"),
)  # fmt: skip
# Classes of these modules have a __repr__ that runs no code of the application.
KNOWN_REPR = ("decimal", "datetime", "uuid", "collections", "fractions", "ipaddress", "pathlib", "types", "zoneinfo")

_fork_locks = {}
_session = None
_originals = []
_place = contextvars.ContextVar("memshim_place", default=None) if contextvars else threading.local()


def install(path, source=None, max_bytes=None, files=2, gzip=None, sample=1.0, redact=False, application=None):
    """Starts a trace in this process and in those that it forks.

    path: where this process writes. A file that another process is writing is left alone, and this process writes
        app.<process id>.jsonl instead; so do all processes that this one forks. An older file is moved to such a name.
    source: text for the header that says what was traced.
    max_bytes: a file is closed when it has this size (bytes), and the process goes on in app.<process id>.2.jsonl.
    files: how many files of one process are kept then; the oldest is deleted.
    gzip: compress; by default when the path ends in .gz.
    sample: the part of the keys that is recorded, above 0 and up to 1; a key is recorded always or never.
    redact: values are replaced by others of the same type and length.
    application: the name of the application that this process is a part of. Traces with the same name may be merged; by default the
        program decides.

    Raises ValueError for an option that is not possible, OSError when the file cannot be written.
    """
    _begin(Session(path, Options(source, max_bytes, files, gzip, sample, redact, application), "own"))


def stop():
    """Ends the trace of this process and removes the wrappers. Returns the last `status()`."""
    global _session
    ended, last = _session, status()
    _session = None
    while _originals:
        owner, name, original, inherited = _originals.pop()
        if inherited:
            delattr(owner, name)
        else:
            setattr(owner, name, original)
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Finder)]
    if ended:
        ended.close()
        ended.stop()
    return last


def at(place):
    """Names the place in the application (an endpoint, a test) for later calls in this context; None ends it."""
    if contextvars:
        _place.set(place)
    else:
        _place.name = place


def status():
    """The state of this process: numbers of calls and clients in its trace, number of calls that could not be written, the last error, its files."""
    found = {"calls": 0, "clients": 0, "errors": 0, "last_error": None, "files": []}
    if _session:
        found.update(errors=_session.errors, last_error=_session.last_error)
        for output in _session.here():
            found["calls"] += output.calls
            found["clients"] += output.clients
            found["files"] += output.names
    return found


class Options(object):
    """The settings of a trace. Raises ValueError naming the option and its allowed values."""

    def __init__(self, source=None, max_bytes=None, files=2, gzip=None, sample=1.0, redact=False, application=None):
        self.source = source
        self.application = application
        self.max_bytes = None if max_bytes is None else _bytes_number(max_bytes)
        self.files = _number("files", files, int, 1, 10000)
        self.gzip = gzip
        self.sample = _number("sample", sample, float, 0, 1)
        if self.sample == 0:
            raise ValueError("sample is 0: give the part of the keys that is recorded, above 0 and up to 1")
        self.redact = bool(redact)

    @classmethod
    def of_environment(cls, environment=os.environ):
        given = environment.get
        return cls(
            source=given("MEMSHIM_TRACE_SOURCE"),
            max_bytes=given("MEMSHIM_TRACE_MAX_BYTES") or None,
            files=given("MEMSHIM_TRACE_FILES") or 2,
            gzip=True if _switch("MEMSHIM_TRACE_GZIP", given("MEMSHIM_TRACE_GZIP")) else None,
            sample=given("MEMSHIM_TRACE_SAMPLE") or 1.0,
            redact=_switch("MEMSHIM_TRACE_REDACT", given("MEMSHIM_TRACE_REDACT")),
            application=given("MEMSHIM_TRACE_APPLICATION") or None,
        )


def _number(name, given, kind, least, most):
    try:
        number = kind(given)
    except (TypeError, ValueError):
        raise ValueError("%s is %r: a number from %s to %s is needed" % (name, given, least, most))
    if not least <= number <= most:
        raise ValueError("%s is %s: a number from %s to %s is needed" % (name, given, least, most))
    return number


def _bytes_number(given):
    found = re.match(r"^(\d+)\s*([kKmMgG]?)[bB]?$", str(given))
    size = int(found.group(1)) * {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}[found.group(2).lower()] if found else 0
    if size < 10 * HEADER:
        raise ValueError("max_bytes is %r: a number of bytes from %d is needed, for example 100M" % (given, 10 * HEADER))
    return size


def _switch(name, given):
    if (given or "0").lower() in ("0", "no", "false", "off"):
        return False
    if given.lower() in ("1", "yes", "true", "on"):
        return True
    raise ValueError("%s is %r: 1 or 0 is needed" % (name, given))


class Session(object):
    """The session of one `install`: the outputs of this process, one for each library. It survives a fork, its outputs do not."""

    def __init__(self, path, options, naming):
        """naming: "exact" replaces the file, "own" takes the name when it is free, "process" always has the process id in it."""
        self.path = os.path.abspath(path)
        self.options = options
        self.naming = naming
        self.starter = os.getpid()
        self.began = time.time()
        self.errors = 0
        self.last_error = None
        self.told = False
        self.folder = _working_directory()
        self.application = None
        self.outputs = {}
        self.reset()

    def reset(self):
        """Begins in a new process. Unwritten lines of the parent stay with the parent."""
        for output in self.outputs.values():
            output.leave()
        self.outputs = {}
        self.lock = _lock()
        self.parts = 0
        if os.getpid() != self.starter:
            self.naming = "process"
            self.errors = 0
            self.told = False
        self.process = os.getpid()

    def application_facts(self):
        """The program for the header. Its name is known only at the first call, because the tracer begins before the program."""
        if self.application is None:
            self.application = _application(self.options.application, self.folder)
        return self.application

    def here(self):
        """The outputs of this process."""
        return list(self.outputs.values()) if self.process == os.getpid() else []

    def open_early(self):
        """Opens the file before the first line, so that an impossible path is an error at once."""
        self.outputs = {None: Output(self)}

    def output(self, library):
        process = os.getpid()
        if self.process != process:
            # Several threads may make the first calls of a forked process. The parent's lock may never be released here.
            with _fork_locks.setdefault(process, _lock()):
                if self.process != process:
                    self.reset()
        found = self.outputs.get(library.name)
        if found is None:
            with self.lock:
                found = self.outputs.get(library.name)
                if found is None:
                    found = self.outputs.pop(None, None) or Output(self)
                    found.begin(library)
                    self.outputs[library.name] = found
        return found

    def next_file(self):
        """An open file descriptor, readable by its owner only, and its path."""
        self.parts += 1
        if self.parts == 1 and self.naming != "process":
            taken = self.take(self.path)
            if taken is not None:
                return taken, self.path
        number = "" if self.parts == 1 else ".%d" % self.parts
        path = self.variant(".%d%s" % (os.getpid(), number))
        for attempt in range(2, 10000):
            try:
                return os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_CLOEXEC", 0), 0o600), path
            except OSError as error:
                # An earlier process had the same id: its trace stays.
                if not os.path.exists(path):
                    raise error
            path = self.variant(".%d%s-%d" % (os.getpid(), number, attempt))
        raise OSError("there are 10000 traces of process %d already" % os.getpid())

    def take(self, path):
        """The file `path` for only this process, or None when another process is writing it."""
        if os.path.isdir(path):
            raise OSError(21, "Is a directory", path)
        if os.path.lexists(path):
            try:
                older = os.open(path, os.O_RDWR)
            except OSError:
                # It belongs to another user.
                return None
            try:
                if not _locked(older):
                    return None
                if self.naming == "own" and os.fstat(older).st_size > 0:
                    os.rename(path, self.variant(".%s" % _process_in(older)))
                else:
                    os.unlink(path)
            finally:
                os.close(older)
        try:
            taken = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_CLOEXEC", 0), 0o600)
        except OSError:
            if os.path.exists(path):
                return None
            raise
        _locked(taken)
        return taken

    def variant(self, words):
        """app.jsonl.gz with words before its extension."""
        base, packed = (self.path[:-3], ".gz") if self.path.endswith(".gz") else (self.path, "")
        base, extension = os.path.splitext(base)
        return base + words + extension + packed

    def failed(self, error):
        self.errors += 1
        self.last_error = "%s: %s" % (type(error).__name__, error)
        if isinstance(error, EnvironmentError) and not self.told:
            self.told = True
            _say("process %d cannot write its trace: %s" % (os.getpid(), self.last_error))

    def close(self):
        for output in self.here():
            output.close()

    def stop(self):
        for output in self.here():
            output.stop()


def _process_in(descriptor):
    """The process id in the header of an older trace, or a number that no process has."""
    start = os.read(descriptor, HEADER + 512)
    found = re.search(br'"process": ?(\d+)', start)
    return "%d-%d" % (int(found.group(1)) if found else 0, int(os.fstat(descriptor).st_mtime))


def _locked(descriptor):
    """Marks the file as written by this process; False when another running process has marked it."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (IOError, OSError):
        return False
    return True


def _working_directory():
    try:
        return os.getcwd()
    except OSError:
        # It was deleted.
        return ""


def _application(name, folder):
    """Identifies the application: its script, or an installed command (gunicorn, celery) with its folder and arguments."""
    facts = {} if name is None else {"name": _fitting(name, 200)}
    words = getattr(sys, "argv", None) or [""]
    if words[0] in ("", "-", "-c", "-m"):
        # A program without a file cannot be identified.
        return facts
    path = os.path.abspath(os.path.join(folder, words[0]))
    if os.path.isfile(path) and not _is_installed(path) and os.path.basename(os.path.dirname(path)) not in ("bin", "Scripts"):
        facts["program"] = _fitting(path, 300)
        return facts
    command = os.path.dirname(path) if os.path.basename(path) == "__main__.py" else path
    facts.update(program=_fitting(os.path.basename(command), 100), folder=_fitting(folder, 300))
    # As a checksum, since an argument may be a password. Workers of one application differ in options and numbers.
    values = [word.partition("=")[2] if word.startswith("-") else word for word in words[1:]]
    given = " ".join([value for value in [re.sub(r"\d+", "", value) for value in values] if value])
    if not isinstance(given, bytes):
        given = given.encode("utf-8", "replace")
    if given:
        facts["arguments"] = "%08x" % (binascii.crc32(given) & 0xFFFFFFFF)
    return facts


def _fitting(text, room):
    """The end of a text that takes at most `room` bytes in a header."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    while len(json.dumps(text)) > room:
        text = text[len(text) // 10 + 1 :]
    return text


class Flusher(object):
    """A thread that writes the waiting lines of an output once, after LONGEST_WAIT."""

    def __init__(self, output):
        self.woken, self.ended = _allocate_lock(), _allocate_lock()
        self.woken.acquire()
        self.ended.acquire()
        _start_thread(self.run, (output,))

    def run(self, output):
        try:
            if PYTHON2:
                _sleep(LONGEST_WAIT)
            else:
                self.woken.acquire(True, LONGEST_WAIT)
            output.flush_later()
        finally:
            self.ended.release()

    def stop(self):
        """Called once, before the interpreter ends: Python crashes when a thread gets its first turn after that, as on a busy machine."""
        self.woken.release()
        if not PYTHON2:
            self.ended.acquire(True, 1)
            return
        for _ in range(200):
            if self.ended.acquire(0):
                return
            _sleep(0.005)


class Output(object):
    """The files that one process writes for one library. All methods may be called from every thread."""

    def __init__(self, session):
        self.session = session
        self.lock = _lock()
        self.calls = self.clients = 0
        self.flusher = None
        self.generation = 0
        self.library = None
        self.names = []
        self.folder = os.path.join(_working_directory(), "")
        self.start()

    def start(self):
        options = self.session.options
        self.file, path = self.session.next_file()
        self.names.append(path)
        self.limit = options.max_bytes
        self.gzip = path.endswith(".gz") if options.gzip is None else options.gzip
        self.packer = zlib.compressobj(6, zlib.DEFLATED, 31) if self.gzip else None
        self.generation += 1
        self.lines = []
        self.waiting = 0
        self.written = 0
        self.last = 0.0
        self.flushed = 0.0
        self.servers = set()
        self.header_is_old = True
        self.epoch = time.time()
        self.began = monotonic()

    def begin(self, library):
        """Called once, when the first client or call of the library is seen."""
        self.library = library
        self.epoch = time.time()
        self.began = monotonic()
        self.frameworks = {}
        self.forget_paths()

    def forget_paths(self):
        self.paths = Path()
        self.codes = []

    def header(self):
        options = self.session.options
        fields = [("format", "memshim-trace/1"), ("library", self.library.distribution), ("version", self.library.version())]
        fields.append(("python", platform.python_version()))
        if options.source:
            fields.append(("source", _fitting(options.source, 400)))
        application = self.session.application_facts()
        if application:
            fields.append(("application", application))
        fields.append(("recorded", time.strftime("%Y-%m-%d", time.gmtime(self.epoch))))
        fields += [("epoch", round(self.epoch, 6)), ("servers", max(1, len(self.servers))), ("process", os.getpid())]
        if self.generation > 1:
            fields.append(("part", self.generation))
        if options.sample < 1:
            fields.append(("sample", options.sample))
        if options.redact:
            fields.append(("redacted", True))
        if self.frameworks:
            fields.append(("frameworks", self.frameworks))
        text = "{%s}" % ",".join(["%s:%s" % (json.dumps(name), json.dumps(value)) for name, value in fields])
        return (text + " " * (HEADER - 1 - len(text)) + "\n").encode("ascii")

    def framework(self, name, version):
        with self.lock:
            self.frameworks[name] = version
            self.header_is_old = True

    def know(self, state):
        """Assigns a client its name in the files of this output."""
        if state.owner is not self:
            with self.lock:
                self.clients += 1
                state.name = "c%d" % self.clients
                state.owner = self
                state.generation = 0

    def add(self, t, text, state):
        """Adds the line of a call. The `new` line of its client comes first when this file does not have it.

        t: when the call began.
        text: the line after its time; None adds only the `new` line.
        """
        lock = self.lock
        lock.acquire()
        try:
            if self.file is None:
                return
            if self.limit and self.written + self.waiting >= self.limit:
                self.rotate()
            if state.generation != self.generation:
                self.introduce(state, t)
            if text is not None:
                # A call of another thread may have begun earlier and ended first: times must not decrease.
                since = t - self.began
                if since < self.last:
                    since = self.last
                self.last = since
                line = '{"t":%.6f,%s}\n' % (since, text)
                self.lines.append(line)
                self.waiting += len(line)
                self.calls += 1
            if self.waiting >= LARGEST_BUFFER or t - self.flushed >= LONGEST_WAIT:
                self.flush(monotonic())
            elif self.flusher is None:
                # A thread that runs only until the next write, so that an idle process has no thread when it forks.
                try:
                    self.flusher = Flusher(self)
                except Exception:
                    self.flush(monotonic())
        finally:
            lock.release()

    def introduce(self, state, t):
        state.generation = self.generation
        known = len(self.servers)
        self.servers.update(state.addresses)
        if len(self.servers) != known:
            self.header_is_old = True
        self.last = max(self.last, t - self.began)
        line = '{"t":%.6f,"client":"%s","new":%s}\n' % (self.last, state.name, state.new)
        self.lines.append(line)
        self.waiting += len(line)

    def flush(self, now):
        text, self.lines, self.waiting = "".join(self.lines), [], 0
        self.flushed = now
        try:
            if self.header_is_old:
                header = self.header()
                if self.gzip:
                    # A gzip member that is stored, not compressed: its length is always the same.
                    stored = zlib.compressobj(0, zlib.DEFLATED, 31)
                    header = stored.compress(header) + stored.flush()
                os.lseek(self.file, 0, os.SEEK_SET)
                self.put(header)
                self.written = max(self.written, len(header))
                os.lseek(self.file, self.written, os.SEEK_SET)
                self.header_is_old = False
            data = text.encode("ascii")
            if self.gzip:
                data = self.packer.compress(data) + self.packer.flush(zlib.Z_SYNC_FLUSH)
            self.put(data)
            self.written += len(data)
        except Exception as error:
            self.session.failed(error)
            self.give_up()

    def put(self, data):
        while data:
            done = os.write(self.file, data)
            data = data[done:]

    def leave(self):
        """In a forked process: the file is the parent's."""
        file, self.file = self.file, None
        if file is not None:
            os.close(file)

    def give_up(self):
        """The disk is full or the file was deleted: complete lines stay, and this process writes no more."""
        file, self.file = self.file, None
        try:
            os.ftruncate(file, self.written)
            os.close(file)
        except Exception:
            pass

    def rotate(self):
        self.finish()
        self.start()
        keep = self.session.options.files
        while len(self.names) > keep:
            try:
                os.unlink(self.names.pop(0))
            except OSError as error:
                self.session.failed(error)

    def finish(self):
        if self.file is None:
            return
        self.flush(monotonic())
        if self.file is None:
            return
        try:
            if self.gzip:
                self.put(self.packer.flush())
            os.close(self.file)
        except Exception as error:
            self.session.failed(error)
        self.file = None

    def flush_later(self):
        with self.lock:
            self.flusher = None
            if self.file is not None and self.lines:
                self.flush(monotonic())

    def close(self):
        with self.lock:
            if self.library is None:
                # Nothing was recorded: an empty file would look like a trace without calls.
                if self.file is not None:
                    os.close(self.file)
                    self.file = None
                    os.unlink(self.names.pop())
                return
            self.finish()

    def stop(self):
        """Called after `close`, which lets no further thread begin."""
        flusher = self.flusher
        if flusher is not None:
            flusher.stop()


class Library(object):
    """The facts of the tracer about a client library."""

    def __init__(self, name, distribution):
        self.name = name
        self.distribution = distribution
        self.module = None
        self.files = ()
        # Files whose calls are no calls of the application.
        self.callers = ()
        self.parameters = {}
        # Of pymemcache: the parameters of each class's constructor, with their defaults.
        self.constructors = {}

    def version(self):
        return _distribution_version(self.module, self.distribution)

    def wrap(self, module):
        kind = getattr(module, "Client", None) or module.RetryingClient
        if self.module is not None and any(owner is kind for owner, _, _, _ in _originals):
            return
        self.module = sys.modules[self.name]
        {"memcache": _wrap_memcache, "pylibmc": _wrap_pylibmc, "pymemcache": _wrap_pymemcache}[self.name](self, module)


_pymemcache = Library("pymemcache", "pymemcache")
# By the module that has the classes.
LIBRARIES = {
    "memcache": Library("memcache", "python-memcached"), "pylibmc": Library("pylibmc", "pylibmc"), "pymemcache": _pymemcache,
    "pymemcache.client.retrying": _pymemcache,
}  # fmt: skip


# Attributes of python-memcached's client that an application may read and no other library has. Attributes that the library reads in every
# call (buckets, stats) are not here: that would cost time.
ATTRIBUTES = ("servers", "dead_retry", "socket_timeout")


def _attribute(library, name):
    """A property that keeps the attribute where it is, and writes the application's reads of it as calls without arguments."""

    def read(client):
        fields = client.__dict__
        if name not in fields:
            raise AttributeError("'Client' object has no attribute '%s'" % name)
        session, state = _session, fields.get(MARK)
        if session is not None and state is not None and not state.inside and state.new is not None and name not in state.assigned:
            _attempt(session, _note_read, session, library, name, state)
        return fields[name]

    def write(client, value):
        fields = client.__dict__
        fields[name] = value
        state = fields.get(MARK)
        if state is not None and not state.inside:
            # An attribute that the application sets itself exists with every library.
            state.assigned += (name,)

    def remove(client):
        client.__dict__.pop(name, None)

    return property(read, write, remove)


def _note_read(session, library, name, state):
    output = session.output(library)
    # Frames: this function, _attempt, the property, the application.
    place = _called_from(output, library, 4)
    if state.owner is not output:
        output.know(state)
    output.add(monotonic(), '"client":"%s","call":"%s","args":[]%s,"result":null' % (state.name, name, place), state)


def _wrap_memcache(library, module):
    for name in ATTRIBUTES:
        if not hasattr(module.Client, name):
            _originals.append((module.Client, name, None, True))
            setattr(module.Client, name, _attribute(library, name))
    for name, method in list(vars(module.Client).items()):
        # Django (up to 4.0) calls _deletetouch itself, because it needs to know whether the key existed.
        if type(method) is type(_wrap_memcache) and (not name.startswith("_") or name in ("__init__", "_deletetouch")):
            code = method.__code__
            library.files = (code.co_filename,)
            library.parameters[name] = code.co_varnames[1 : code.co_argcount]
            if name == "__init__":
                library.defaults = dict(zip(code.co_varnames[: code.co_argcount][::-1], (method.__defaults__ or ())[::-1]))
            _replace(library, module.Client, name, method, False)


def _wrap_pylibmc(library, module):
    client = module.Client
    library.files = (client.__init__.__code__.co_filename, client.__init__.__code__.co_filename.replace("client.py", "pools.py"))
    library.parameters = {"__init__": ("servers", "behaviors", "binary", "username", "password")}
    for name, position in PYLIBMC_PREFIX.items():
        library.parameters[name] = (None,) * position + ("key_prefix",)
    for name in dir(client):
        # serialize and deserialize are hooks: pylibmc calls them only when a subclass overrides them.
        if name in ("serialize", "deserialize", "behaviours", "behaviors") or (name.startswith("_") and name not in ROLES and name != "__init__"):
            continue
        _replace(library, client, name, getattr(client, name), name not in vars(client))
    reader, writer = client.behaviors.fget, client.set_behaviors
    _originals.append((client, "behaviors", client.behaviors, False))
    client.behaviors = property(reader, writer)


def _wrap_pymemcache(library, module):
    for kind in ("Client", "PooledClient", "HashClient", "RetryingClient"):
        client = vars(module).get(kind)
        if client is None:
            continue
        methods = dict((name, method) for name, method in vars(client).items() if type(method) is type(_wrap_pymemcache))
        code = methods["__init__"].__code__
        library.files = library.files or _python_files(os.path.dirname(os.path.dirname(code.co_filename)))
        # A FallbackClient is no client of its own: its calls are those of the application.
        library.callers = frozenset(name for name in library.files if os.path.basename(name) != "fallback.py")
        names = code.co_varnames[1 : code.co_argcount]
        usual = methods["__init__"].__defaults__ or ()
        library.constructors[kind] = (names, dict(zip(names[::-1], usual[::-1])))
        if kind == "RetryingClient":
            _replace(library, client, "__init__", methods["__init__"], False)
            _originals.append((client, "_retry", methods["_retry"], False))
            client._retry = _retrying(library, methods["_retry"])
            continue
        for name, method in methods.items():
            if not name.startswith("_") or name in ROLES or name == "__init__":
                _replace(library, client, name, method, False)


def _python_files(folder):
    """The files of a package, by the names in its code objects."""
    return frozenset(os.path.join(place, name) for place, _, names in os.walk(folder) for name in names if name.endswith(".py"))


def _retrying(library, method):
    """RetryingClient has no methods of its own: it makes every call by this one, and this call is the application's."""

    def _retry(client, name, func, *args, **kwargs):
        def call(client, *args, **kwargs):
            return method(client, name, func, *args, **kwargs)

        if _session is None:
            return call(client, *args, **kwargs)
        return _wrapped(library, name, call, True)(client, *args, **kwargs)

    return _retry


def _replace(library, owner, name, original, inherited):
    if name == "clone":
        replacement = _cloning(original)
    else:
        replacement = _wrapped(library, name, original)
    for attribute in ("__module__", "__name__", "__qualname__", "__doc__"):
        if hasattr(original, attribute):
            setattr(replacement, attribute, getattr(original, attribute))
    if not PYTHON2:
        replacement.__wrapped__ = original
        _keep_signature(replacement, original)
    if PYTHON2 and not inherited:
        original = vars(owner)[name]
    _originals.append((owner, name, original, inherited))
    setattr(owner, name, replacement)


def _keep_signature(replacement, original):
    """inspect.getfullargspec, which libraries ask whether a method takes noreply, does not look behind a wrapper."""
    import inspect

    try:
        replacement.__signature__ = inspect.signature(original)
    except (TypeError, ValueError):
        # A method in C.
        pass


def _cloning(method):
    def clone(client):
        twin = method(client)
        known = client.__dict__.get(MARK)
        if known is not None and known.new:
            twin.__dict__[MARK] = state = ClientState()
            state.new, state.addresses = known.new, known.addresses
        return twin

    return clone


class ClientState(object):
    """The tracer's state of a client. python-memcached's client is a threading.local: each thread has its own state."""

    __slots__ = ("inside", "owner", "generation", "name", "new", "made", "addresses", "assigned")

    def __init__(self):
        self.inside = False
        self.owner = self.name = self.new = self.made = None
        self.generation = 0
        self.addresses = self.assigned = ()


class Method(object):
    """Writes the calls of one method."""

    def __init__(self, library, name):
        self.library = library
        self.name = name
        kind, self.key_at, self.value_at = ROLES.get(name, (None, None, None))
        self.has_keys = kind is not None
        self.many = kind in ("many", "mapping")
        parameters = library.parameters.get(name, ())
        self.prefix_at = parameters.index("key_prefix") if "key_prefix" in parameters else None
        # Python 2 writes keys and addresses as str: these are text in a trace, any other str is bytes.
        self.has_names = PYTHON2 and (self.has_keys or name in ("set_servers", "get_stats"))
        self.opening = '","call":"%s","args":[' % name

    def before(self, session, output, args, kwargs, spied):
        """The line up to the outcome; None when no key of the call is recorded. Values are written now, because they may change later.

        What an iterator gives is known only after the call: then, and for a sample of the keys, this is a Row.
        """
        options = session.options
        prefix = None
        sampling = options.sample < 1 and self.has_keys
        if sampling:
            prefix = kwargs.get("key_prefix")
            if prefix is None and self.prefix_at is not None and len(args) > self.prefix_at:
                prefix = args[self.prefix_at]
            args, kwargs = self.sampled(options.sample, prefix, args, kwargs)
            if args is None:
                return None
        place = _called_from(output, self.library)
        if spied or (sampling and self.many):
            return Row(args, kwargs, prefix, place, None if spied else self.arguments(options, args, kwargs, _NONE_SPIED))
        return self.arguments(options, args, kwargs, _NONE_SPIED) + place

    def arguments(self, options, args, kwargs, spied):
        if self.has_names or options.redact or spied:
            parts = [self.argument(options, value, i == self.value_at, spied.get(i)) for i, value in enumerate(args)]
        else:
            parts = []
            for i, value in enumerate(args):
                simple = _SIMPLE.get(type(value))
                parts.append(self.argument(options, value, i == self.value_at, None) if simple is None else simple(value))
        if not kwargs:
            return ",".join(parts) + "]"
        named = [
            "%s:%s" % (_quote(word), self.argument(options, value, word in VALUE_WORDS or (self.value_at == 0 and word in KEY_WORDS), spied.get(word)))
            for word, value in kwargs.items()
        ]
        return '%s],"kwargs":{%s}' % (",".join(parts), ",".join(named))

    def argument(self, options, value, is_value, spied):
        if spied is not None:
            kind, taken = spied
            return '{"$iterator":[%s],"$class":%s}' % (",".join([_name(item) for item in taken]), _quote(kind))
        kind = type(value)
        if kind in VIEWS:
            return '{"$view":[%s],"$class":%s}' % (",".join([_name(item) for item in value]), _quote(kind.__name__))
        if is_value and not self.many:
            return redacted(value) if options.redact else encode(value)
        if self.many and kind is dict:
            return _mapping(value, redacted if options.redact and is_value else encode)
        if self.many and kind in (list, tuple):
            # Keys are written one by one, however many there are.
            text = "[%s]" % ",".join([_name(item) for item in value])
            return text if kind is list else '{"$tuple":%s}' % text
        return _name(value) if self.has_names else encode(value)

    def sampled(self, sample, prefix, args, kwargs):
        """The arguments without the keys that are not recorded; (None, None) when none is left."""
        if len(args) > self.key_at:
            place = self.key_at
            keys = args[place]
        else:
            place = next((word for word in KEY_WORDS if word in kwargs), None)
            keys = kwargs.get(place)
        if not self.many:
            return (args, kwargs) if keys is None or _sampled(sample, prefix, keys) else (None, None)
        if isinstance(keys, dict):
            kept = dict((key, item) for key, item in keys.items() if _sampled(sample, prefix, key))
        elif isinstance(keys, (list, tuple) + VIEWS):
            kept = [key for key in keys if _sampled(sample, prefix, key)]
            kept = tuple(kept) if isinstance(keys, tuple) else kept
        else:
            return args, kwargs
        if keys and not kept:
            return None, None
        if isinstance(place, int):
            return args[:place] + (kept,) + args[place + 1 :], kwargs
        return args, dict(kwargs, **{place: kept})

    def after(self, session, output, t, state, row, spied, outcome, raised):
        """Writes the line of a call that is over."""
        options = session.options
        if type(row) is Row:
            row, outcome = self.completed(options, row, spied, outcome, raised)
            if row is None:
                return
        if raised:
            ending = _exception(options, outcome)
        else:
            simple = _SIMPLE.get(type(outcome))
            if simple is None or PYTHON2 or options.redact:
                ending = '"result":' + self.result(options, outcome)
            else:
                ending = '"result":' + simple(outcome)
        if state.owner is not output:
            output.know(state)
        output.add(t, '"client":"%s%s%s,%s' % (state.name, self.opening, row, ending), state)

    def completed(self, options, row, spied, outcome, raised):
        """The line up to the outcome, and the outcome; (None, None) when no key of the call is recorded."""
        text = row.text
        sampling = options.sample < 1 and self.many
        if spied:
            if sampling:
                for _, taken in spied.values():
                    taken[:] = [key for key in taken if _sampled(options.sample, row.prefix, key)]
                if not any(taken for _, taken in spied.values()):
                    return None, None
            text = self.arguments(options, row.args, row.kwargs, spied)
        if sampling and not raised:
            outcome = _sampled_result(options.sample, row.prefix, outcome)
        return text + row.place, outcome

    def result(self, options, value):
        if value is None or value is True or value is False:
            return encode(value)
        if self.many and type(value) is dict:
            return _mapping(value, redacted if options.redact else encode)
        if options.redact and self.name in ("get", "gets", "__getitem__", "incr", "decr"):
            if self.name == "gets" and self.library.name != "memcache" and type(value) is tuple:
                return '{"$tuple":[%s,%s]}' % (redacted(value[0]), encode(value[1]))
            return redacted(value)
        return encode(value) if self.has_keys and not self.many else _names(value)


class Row(object):
    """A call whose line cannot be written before the call."""

    __slots__ = ("args", "kwargs", "prefix", "place", "text")

    def __init__(self, args, kwargs, prefix, place, text):
        self.args, self.kwargs, self.prefix, self.place, self.text = args, kwargs, prefix, place, text


_NONE_SPIED = {}
VIEWS = tuple(type(getattr({}, name)()) for name in (("viewkeys", "viewvalues", "viewitems") if PYTHON2 else ("keys", "values", "items")))


def _wrapped(library, name, method, is_outermost=False):
    writer = Method(library, name)
    is_constructor = name == "__init__"
    # pylibmc refuses iterators.
    reads_iterators = library.name != "pylibmc"
    # Threads share pymemcache's clients, which use each other: a call by pymemcache's own code is not a call of the application.
    own_code = library.callers if library.name == "pymemcache" and not is_outermost else ()
    is_shared = library.name == "pymemcache"
    value_at = None if writer.many else writer.value_at

    getpid = os.getpid

    def traced(client, *args, **kwargs):
        session = _session
        if session is None:
            return method(client, *args, **kwargs)
        if own_code and sys._getframe(1).f_code.co_filename in own_code:
            return method(client, *args, **kwargs)
        fields = client.__dict__
        state = fields.get(MARK)
        if state is None:
            state = fields[MARK] = ClientState()
        elif state.inside and not is_shared:
            # Calls inside the library's own methods are not calls of the application.
            return method(client, *args, **kwargs)
        state.inside = True
        t = monotonic()
        output = row = spied = None
        try:
            try:
                if reads_iterators:
                    for value in args:
                        if type(value) not in _NO_ITERATORS:
                            args, kwargs, spied = _spy(args, kwargs, value_at)
                            break
                    else:
                        if kwargs:
                            args, kwargs, spied = _spy(args, kwargs, value_at)
                output = session.outputs.get(library.name) if session.process == getpid() else None
                if output is None:
                    output = session.output(library)
                if is_constructor:
                    row = _construction(library, output, client, args, kwargs, spied)
                else:
                    if state.new is None:
                        _describe(library, client, state)
                    row = writer.before(session, output, args, kwargs, spied)
            except Exception as error:
                session.failed(error)
            try:
                result = method(client, *args, **kwargs)
            except Exception as error:
                if row is not None and not is_constructor:
                    _attempt(session, writer.after, session, output, t, state, row, spied, error, True)
                raise
            if row is not None:
                try:
                    if is_constructor:
                        # A constructor that raised left no client.
                        _constructed(output, t, state, row)
                    else:
                        writer.after(session, output, t, state, row, spied, result, False)
                except Exception as error:
                    session.failed(error)
            return result
        finally:
            state.inside = False

    return traced


def _attempt(session, function, *args):
    try:
        function(*args)
    except Exception as error:
        session.failed(error)


def _spy(args, kwargs, value_at):
    """Iterators can be read only once, by the library: records the items that it reads. Returns the arguments to use, and the items.

    value_at: the position of a value, which no library reads, but pickles.
    """
    spied = None
    for place, value in list(enumerate(args)) + (list(kwargs.items()) if kwargs else []):
        if value_at is not None and (place == value_at or place in VALUE_WORDS):
            continue
        if hasattr(value, "__next__") or (PYTHON2 and hasattr(value, "next")):
            taken = []
            spied = spied or {}
            spied[place] = (type(value).__name__, taken)
            if isinstance(place, int):
                args = args[:place] + (_noting(value, taken),) + args[place + 1 :]
            else:
                kwargs = dict(kwargs, **{place: _noting(value, taken)})
    return args, kwargs, spied


def _noting(iterator, taken):
    for item in iterator:
        taken.append(item)
        yield item


def _construction(library, output, client, args, kwargs, spied):
    if library.name == "pymemcache":
        return _pymemcache_construction(library, output, client, args, kwargs, spied)
    names = library.parameters["__init__"][: len(args)]
    given = dict(zip(names, args), **kwargs)
    servers = given.pop("servers", ())
    place = 0 if args else "servers"
    form = _form(names, servers)
    if spied and place in spied:
        kind, servers = spied[place]
        form = _form(names, servers, kind)
    return list(servers), given, _called_from(output, library), form


def _form(names, servers, kind=None):
    """The form of a constructor call, for its `new` line: the parameters given by position, and the class of the servers unless it is list.

    kind: the class of an iterator that was replaced.
    """
    text = '"positional":[%s],' % ",".join([_quote(name) for name in names])
    if kind is not None:
        return text + '"container":%s,"iterator":true,' % _quote(kind)
    kind = (_base_class(type(servers)) or type(servers)).__name__
    return text if kind == "list" else text + '"container":%s,' % _quote(kind)


def _constructed(output, t, state, row):
    state.owner = None
    _remember(state, *row)
    output.know(state)
    output.add(t, None, state)


def _pymemcache_class(library, client):
    """The class of pymemcache that a client is an instance of; an application may have subclasses."""
    names = [each.__name__ for each in type(client).__mro__ if each.__module__.split(".")[0] == "pymemcache"]
    return next((name for name in names if name in library.constructors or name == "AWSElastiCacheHashClient"), "Client")


def _pymemcache_construction(library, output, client, args, kwargs, spied):
    kind = _pymemcache_class(library, client)
    place = _called_from(output, library, 4)
    if kind == "AWSElastiCacheHashClient":
        # It gets its servers from the cluster.
        return None
    names = library.constructors[kind][0][: len(args)]
    given = dict(zip(names, args), **kwargs)
    first = library.constructors[kind][0][0]
    servers = given.pop(first, ())
    if kind == "RetryingClient":
        inner = _pymemcache_state(library, servers)
        return inner.addresses, given, place, _form(names, []), kind, inner.made
    form = _form(names, servers)
    if first == "server":
        servers = [servers]
    elif spied and (0 if args else first) in spied:
        container, servers = spied[0 if args else first]
        form = _form(names, servers, container)
    return [_endpoint(server) for server in servers], given, place, form, kind, None


def _endpoint(server):
    """A server as pymemcache names it in its placement."""
    return "%s:%s" % tuple(server) if isinstance(server, (tuple, list)) and len(server) == 2 else server


def _pymemcache_state(library, client):
    state = client.__dict__.get(MARK)
    if state is None:
        state = client.__dict__[MARK] = ClientState()
    if state.new is None:
        _describe(library, client, state)
    return state


def _describe_pymemcache(library, client, state):
    kind = _pymemcache_class(library, client)
    if kind == "RetryingClient":
        inner = _pymemcache_state(library, client._client)
        usual = library.constructors[kind][1]
        found = dict((name, getattr(client, "_" + name, None)) for name in usual)
        settings = dict((name, value) for name, value in found.items() if value != usual[name] and value != ())
        return _remember(state, inner.addresses, settings, "", "", kind, inner.made)
    hashed = hasattr(client, "default_kwargs")
    _, usual = library.constructors["HashClient" if hashed else kind]
    found = dict(vars(client), **(client.default_kwargs if hashed else {}))
    settings = {}
    for name, default in usual.items():
        value = found.get(name, default)
        if name == "serde" and type(value).__name__ == "LegacyWrappingSerde":
            for role in ("serializer", "deserializer"):
                function = getattr(value, "serialize" if role == "serializer" else "deserialize")
                if not hasattr(function, "__self__"):
                    settings[role] = function
        elif name not in ("hasher", "serializer", "deserializer") and value != default and value is not None:
            settings[name] = value
    servers = list(client.clients) if hashed else [_endpoint(client.server)]
    _remember(state, servers, settings, "", "", kind)


SERDES = ("serde", "serializer", "deserializer")
_PLAIN = (type(None), bool, int, float, TEXT, bytes)


def _pymemcache_setting(keyword, value):
    """Code of pymemcache by its name there, e.g. "pickle_serde", "PickleSerde(2)"; other code by the name of its class."""
    if keyword in SERDES and type(value) in _PLAIN:
        # Not code at all, so that its use raises; what is false counts as not given.
        return _quote(_class_name(type(value))) if value else "null"
    if value is None or type(value) in _SIMPLE:
        return _name(value)
    if keyword in ("retry_for", "do_not_retry_for") and isinstance(value, (list, tuple, set, frozenset)):
        return "[%s]" % ",".join([_quote(_class_name(each)) for each in value])
    if keyword in SERDES:
        known = vars(sys.modules["pymemcache.serde"])
        for name in ("pickle_serde", "compressed_serde", "python_memcache_serializer", "python_memcache_deserializer"):
            if known.get(name) is value:
                return _quote(name)
        kind = type(value)
        if kind is known.get("PickleSerde"):
            return _quote("PickleSerde(%d)" % value._serialize_func.keywords["pickle_version"])
        if kind is known.get("CompressedSerde") and value._compress is zlib.compress and value._serde is known["pickle_serde"]:
            return _quote("CompressedSerde(%d)" % value._min_compress_len)
        return _quote(_class_name(value if isinstance(value, type) or hasattr(value, "__name__") else kind))
    return _setting(value)


def _remember(state, servers, settings, place="", form="", kind=None, inner=None):
    """Keeps the `new` line of a client: it is written once in every file that has calls of the client."""
    words = []
    for keyword, value in settings.items():
        if kind is not None:
            if keyword != "socket_module":
                words.append("%s:%s" % (_quote(keyword), _pymemcache_setting(keyword, value)))
            continue
        if keyword in ("username", "password"):
            # A trace must not contain a password.
            value = None if value is None else "x"
        words.append("%s:%s" % (_quote(keyword), _setting(value)))
    state.addresses = tuple(str(server[0] if isinstance(server, (tuple, list)) else server) for server in servers)
    more = form if kind is None else '"class":"%s",%s' % (kind, form)
    more += "" if inner is None else '"inner":%s,' % inner
    state.made = '{%s"servers":[%s],"kwargs":{%s}}' % (more, ",".join([_name(server) for server in servers]), ",".join(words))
    state.new = state.made + place


def _setting(value):
    if type(value) is dict:
        return _mapping(value, _setting)
    if isinstance(value, type) or callable(value):
        # Classes and functions by their names: the pickle of a name, which is never looked up.
        name = (getattr(value, "__module__", None) or "builtins", getattr(value, "__name__", type(value).__name__))
        data = base64.b64encode(("c%s\n%s\n." % name).encode("utf-8")).decode("ascii")
        return '{"$pickle":"%s","$repr":%s}' % (data, _quote("%s.%s" % name))
    return _name(value)


def _describe(library, client, state):
    """A client that was made before the trace began: its attributes that differ from the defaults."""
    if library.name == "pymemcache":
        return _describe_pymemcache(library, client, state)
    if library.name == "pylibmc":
        usual = library.module.Client(["127.0.0.1"], binary=client.binary).get_behaviors()
        found = dict(client.get_behaviors())
        behaviors = dict((name, found[name]) for name in found if found[name] != usual.get(name))
        settings = {"binary": client.binary} if client.binary else {}
        if behaviors:
            settings["behaviors"] = behaviors
        _remember(state, client.addresses, settings)
        return
    settings = {}
    for keyword, attribute in SETTINGS.items():
        if keyword in library.parameters["__init__"] and hasattr(client, attribute):
            default = library.defaults.get(keyword)
            if default is None:
                default = getattr(library.module, keyword.upper(), None)
            if getattr(client, attribute) != default:
                settings[keyword] = getattr(client, attribute)
    _remember(state, [_address(host) for host in client.servers], settings)


def _address(host):
    """A memcache._Host as the string that made it."""
    if not isinstance(host.address, tuple):
        text = "unix:" + host.address
    else:
        text = ("inet6:[%s]:%d" if ":" in host.ip else "%s:%d") % (host.ip, host.port)
    return text if host.weight == 1 else (text, host.weight)


# The place of a call

# Code that is compiled repeatedly would fill the memory: after this number of steps the paths are learned anew.
MOST_STEPS = 20000
MOST_NAMES = 1000


class Path(dict):
    """The frameworks between a client and a frame. By the identity of the next frame's code, what follows: None for the client library's own
    code, this path for code of others, a longer path for code of a framework, Lines for code of the application."""

    __slots__ = ("via", "named", "nearest")

    def __init__(self, via=()):
        dict.__init__(self)
        self.via = via
        # The texts of calls at a place with a name, and of calls without a frame of the application.
        self.named = {}
        self.nearest = {}

    def after(self, step):
        return self if self.via[-1:] == (step,) else Path(self.via + (step,))

    def text(self, place):
        """The end of a line: ,"at":...,"via":[...]"""
        text = "" if place is None else ',"at":%s' % _name(place)
        return text if not self.via else '%s,"via":[%s]' % (text, ",".join([_quote(step) for step in self.via]))


class Lines(dict):
    """Code of the application that a path leads to. The texts by the position in its bytecode, which is read faster than the number of the line."""

    __slots__ = ("path", "shown")

    def __init__(self, path, shown):
        dict.__init__(self)
        self.path = path
        self.shown = shown

    def text(self, frame):
        text = self[frame.f_lasti] = self.path.text("%s:%d" % (self.shown, frame.f_lineno))
        return text


def _called_from(output, library, depth=3):
    """The place of the call and the frameworks between it and the client, as the end of a line: ,"at":...,"via":[...]."""
    place = _place.get() if contextvars else getattr(_place, "name", None)
    if place is None and ("_pytest" in sys.modules or "unittest.case" in sys.modules):
        place = _running_test()
    frame = sys._getframe(depth)
    path = output.paths
    nearest = None
    while frame is not None:
        try:
            following = path[id(frame.f_code)]
        except KeyError:
            following = _learn(output, library, path, frame)
        if following is not None:
            if type(following) is Lines:
                if place is None:
                    return following.get(frame.f_lasti) or following.text(frame)
                break
            if nearest is None:
                nearest = frame
            path = following
        frame = frame.f_back
    if place is None and nearest is not None:
        site = (id(nearest.f_code), nearest.f_lasti)
        if site not in path.nearest:
            path.nearest[site] = path.text("%s:%d" % (_short(os.path.abspath(nearest.f_code.co_filename)), nearest.f_lineno))
        return path.nearest[site]
    if place not in path.named:
        if len(path.named) > MOST_NAMES:
            path.named.clear()
        path.named[place] = path.text(place)
    return path.named[place]


def _learn(output, library, path, frame):
    """What follows on a path after the code of a frame, which is kept, because the same code makes many calls."""
    code = frame.f_code
    file = code.co_filename
    module = frame.f_globals.get("__name__") or ""
    if len(output.codes) > MOST_STEPS:
        output.forget_paths()
    # The code object is kept, so that no other one gets its identity.
    output.codes.append(code)
    following = None
    if not (file == _learn.__code__.co_filename or file in library.files or file.startswith("<")):
        full = os.path.abspath(file)
        framework = next((name for start, name in FRAMEWORKS if module.startswith(start)), None)
        if framework is not None:
            following = path.after("%s:%s" % (module, code.co_name))
            if framework not in output.frameworks:
                _note_framework(output, framework, module)
        elif full.startswith(output.folder) and not _is_installed(full):
            following = Lines(path, full[len(output.folder) :].replace(os.sep, "/"))
        else:
            following = path
    path[id(code)] = following
    return following


def _is_installed(path):
    return any(os.sep + name + os.sep in path for name in ("site-packages", "dist-packages")) or path.startswith(_standard_library)


_standard_library = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(json.__file__))), "")


def _short(path):
    """The part of a path that is the same on every machine."""
    roots = [os.path.join(os.path.abspath(root), "") for root in sys.path]
    matching = [root for root in roots if path.startswith(root)]
    root = max(matching, key=len) if matching else os.path.join(os.path.dirname(path), "")
    return path[len(root) :].replace(os.sep, "/")


def _note_framework(output, name, module):
    package = sys.modules.get("dogpile.cache" if module.startswith("dogpile.") else module.split(".")[0])
    output.framework(name, _distribution_version(package, name))


_tests = [None, False]


def _has_tests(base):
    """Whether there are test classes: most programs import unittest through a framework, and searching the whole stack takes time."""
    known = (len(sys.modules), len(base.__subclasses__()))
    if _tests[0] != known:
        classes = list(base.__subclasses__())
        for each in classes:
            classes += each.__subclasses__()
        _tests[1] = any(each.__module__.split(".")[0] not in ("unittest", "django") for each in classes)
        _tests[0] = known
    return _tests[1]


def _running_test():
    """The test that is running, under pytest or unittest."""
    if "_pytest" in sys.modules:
        current = os.environ.get("PYTEST_CURRENT_TEST")
        if current:
            return current.rsplit(" (", 1)[0]
    case = sys.modules.get("unittest.case")
    if case is None or not _has_tests(case.TestCase):
        return None
    running = getattr(case.TestCase.run, "__code__", None)
    frame = sys._getframe(3)
    while frame is not None:
        if frame.f_code is running:
            return frame.f_locals["self"].id()
        frame = frame.f_back
    return None


def _distribution_version(module, distribution):
    """The version in the name of the folder that pip makes beside a package; else the module's own."""
    folder = os.path.dirname(os.path.abspath(getattr(module, "__file__", None) or "."))
    wanted = re.compile(r"(?i)^%s-([^-]+?)(-py[\d.]+)?(\.dist-info|\.egg-info|\.egg)$" % re.sub("[-_.]", "[-_.]", distribution))
    for _ in range(3):
        try:
            for entry in sorted(os.listdir(folder)):
                found = wanted.match(entry)
                if found:
                    return found.group(1)
        except OSError:
            pass
        folder = os.path.dirname(folder)
    try:
        from importlib.metadata import version

        return version(distribution)
    except Exception:
        return str(os.environ.get("MEMSHIM_LIBRARY_VERSION") or getattr(module, "__version__", "unknown"))


# Values as typed JSON (docs/formats.md)


class _NoNotation(Exception):
    """A container that is too large, or holds an object: it is pickled as a whole."""


def encode(value):
    """A Python value as text of typed JSON. Values without a notation are pickled; no code of the application is called."""
    kind = type(value)
    simple = _SIMPLE.get(kind) or _simple_decimal(kind)
    if simple is not None:
        return simple(value)
    if kind in _CONTAINERS:
        try:
            return _container(value, [LARGEST_CONTAINER])
        except (_NoNotation, RuntimeError):
            pass
    return pickled(value)


def _simple_decimal(kind):
    """How a Decimal is written, when `kind` is that class. The module `decimal` is never imported by the tracer."""
    if kind.__name__ == "Decimal" and kind is getattr(sys.modules.get("decimal"), "Decimal", None):
        _SIMPLE[kind] = _decimal
        return _decimal
    return None


def _decimal(value):
    return '{"$decimal":"%s"}' % value


def _decimals(values):
    """A long list of Decimals: pickling each costs four times as much as its text."""
    return '[{"$decimal":"%s"}]' % '"},{"$decimal":"'.join(map(str, values))


def _container(value, room):
    kind = type(value)
    room[0] -= len(value)
    if room[0] < 0:
        if kind is list and value and _SIMPLE.get(type(value[0])) is _decimal and len(set(map(type, value))) == 1:
            return _decimals(value)
        raise _NoNotation
    if kind is dict:
        left = room[0]
        parts = []
        for key, item in value.items():
            name = _names_of_keys.get(key) if type(key) is TEXT else None
            if name is None:
                name = _plain_key(key)
                if name is None:
                    break
            simple = _SIMPLE.get(type(item))
            parts.append(name + (simple(item) if simple is not None else _item(item, room)))
        else:
            return "{%s}" % ",".join(parts)
        room[0] = left
        return '{"$dict":[%s]}' % ",".join(["[%s,%s]" % (_item(key, room), _item(item, room)) for key, item in value.items()])
    items = [_quote(item) if type(item) is TEXT and len(item) < REPEAT_FROM else _item(item, room) for item in value]
    if kind is list:
        return "[%s]" % ",".join(items)
    if kind is tuple:
        return '{"$tuple":[%s]}' % ",".join(items)
    return '{"$%s":[%s]}' % (kind.__name__, ",".join(sorted(items)))


def _item(value, room):
    kind = type(value)
    simple = _SIMPLE.get(kind) or _simple_decimal(kind)
    if simple is not None:
        return simple(value)
    if kind in _CONTAINERS:
        return _container(value, room)
    raise _NoNotation


def _is_plain(key):
    """Whether a dict with this key can be a JSON object. Long text may be written as a repetition, which no JSON object has for a name."""
    return type(key) is TEXT and len(key) < REPEAT_FROM and key[:1] != "$" and not key.isdigit() and key != "__proto__"


# A cache, because keys of dicts repeat: the text of each as the name of a JSON object.
_names_of_keys = {}


def _plain_key(key):
    """The key as a name of a JSON object, with the colon, or None."""
    if not _is_plain(key):
        return None
    name = _quote(key) + ":"
    if len(_names_of_keys) > 5000:
        _names_of_keys.clear()
    if len(key) < 64:
        _names_of_keys[key] = name
    return name


def _is_plain_name(key):
    if PYTHON2 and type(key) is bytes:
        try:
            return _is_plain(key.decode("utf-8"))
        except UnicodeDecodeError:
            return False
    return _is_plain(key)


def _text(value):
    if len(value) >= REPEAT_FROM and value[-1] == value[0] and value == value[0] * len(value):
        return '{"$repeat":[%s,%d]}' % (_quote(value[0]), len(value))
    return _quote(value)


def _data(value):
    if len(value) >= REPEAT_FROM and value[-1] == value[0] and value == value[:1] * len(value):
        return '{"$repeat":[{"$bytes":%s},%d]}' % (_quote(value[:1].decode("latin-1")), len(value))
    if len(value) > LARGEST_BYTES:
        return pickled(value)
    return '{"$bytes":%s}' % _quote(value.decode("latin-1"))


def _integer(value):
    return "%d" % value if -SAFE <= value <= SAFE else '{"$int":"%d"}' % value


_SIMPLE = {
    type(None): lambda value: "null",
    bool: lambda value: "true" if value else "false",
    TEXT: _text,
    bytes: _data,
    float: lambda value: '{"$float":"%r"}' % value,
    bytearray: lambda value: '{"$bytearray":%s}' % _quote(bytes(value).decode("latin-1")),
    complex: lambda value: '{"$complex":["%r","%r"]}' % (value.real, value.imag),
}
for _kind in INTEGERS:
    _SIMPLE[_kind] = _integer
_CONTAINERS = frozenset([list, tuple, set, frozenset, dict])
_NO_ITERATORS = frozenset(list(_SIMPLE) + list(_CONTAINERS))
# A subclass of one of these is written with the same value as the built-in type.
_BASES = (TEXT, bytes) + INTEGERS + (float, complex, bytearray, list, tuple, dict, set, frozenset)


# A cache of the pickles of marked texts (Django's SafeString), because they repeat.
_marked_texts = {}
_marked_kinds = {}


def _is_marked_text(kind):
    """Whether equal instances of this subclass of text have equal pickles, and comparing them runs no code of the application."""
    try:
        return _marked_kinds[kind]
    except KeyError:
        if len(_marked_kinds) > 1000:
            _marked_kinds.clear()
        own = [vars(each) for each in kind.__mro__ if each not in TEXT.__mro__]
        plain = not any(each.get("__slots__") or not _STATE.isdisjoint(each) for each in own)
        found = _marked_kinds[kind] = issubclass(kind, TEXT) and plain
        return found


# Methods that decide equality and the content of a pickle.
_STATE = frozenset(
    "__eq__ __ne__ __cmp__ __hash__ __len__ __reduce__ __reduce_ex__ __getstate__ __getnewargs__ __getnewargs_ex__ __getattribute__ __getattr__".split()
)


def pickled(value):
    kind = type(value)
    if kind in _BASES or not _is_marked_text(kind) or TEXT.__len__(value) > 2000 or getattr(value, "__dict__", None):
        return _pickled(value)
    known = _marked_texts.get((kind, value))
    if known is None:
        if len(_marked_texts) > 1000:
            _marked_texts.clear()
        known = _marked_texts[(kind, value)] = _pickled(value)
    return known


def _pickled(value):
    try:
        data = pickle.dumps(value, 2 if PYTHON2 else 4)
    except Exception as error:
        return _unpicklable(value, error)
    text = '{"$pickle":"%s"' % binascii.b2a_base64(data)[:-1].decode("ascii")
    kind = type(value)
    if kind in _BASES:
        return text + "}"
    base = _base_class(kind)
    if base is not None:
        return '%s,"$base":%s}' % (text, encode(_as_base(value, base)))
    if kind.__module__.split(".")[0] in KNOWN_REPR:
        return '%s,"$repr":%s}' % (text, _quote(re.sub(r" at 0x[0-9a-fA-F]+", "", repr(value))[:200]))
    return text + "}"


def _unpicklable(value, error):
    """An object that cannot be pickled, and the exceptions: python-memcached uses protocol 0, the other libraries later ones."""
    later = earlier = _exception_class(error)
    try:
        # In Python 2 python-memcached uses this module, and not cPickle, which raises other exceptions.
        import pickle as usual

        usual.dumps(value, 0)
    except Exception as other:
        earlier = _exception_class(other)
    text = '{"$unpicklable":%s,"$raises":%s' % (_quote(_class_name(type(value))), _quote(later))
    return text + "}" if earlier == later else '%s,"$raises0":%s}' % (text, _quote(earlier))


_base_classes = {}


def _base_class(kind):
    """The built-in class that `kind` (Django's SafeString, an IntEnum) is a subclass of, or None."""
    try:
        return _base_classes[kind]
    except KeyError:
        if len(_base_classes) > 1000:
            _base_classes.clear()
        found = _base_classes[kind] = next((base for base in _BASES if issubclass(kind, base)), None)
        return found


def _as_base(value, base):
    """The same value as an instance of the built-in class, without running the code of the subclass."""
    if base in (list, tuple, dict, set, frozenset):
        return base(dict.items(value)) if base is dict else base(base.__iter__(value))
    if base is complex:
        return complex.__add__(value, 0)
    return base.__add__(value, 0 if base in INTEGERS or base is float else base())


def _class_name(kind):
    return "%s.%s" % (kind.__module__, getattr(kind, "__qualname__", kind.__name__))


def _name(value):
    """A key, an address or another word: text also where Python 2 has a str."""
    if PYTHON2 and type(value) is bytes:
        try:
            return _quote(value.decode("utf-8"))
        except UnicodeDecodeError:
            return _data(value)
    if PYTHON2 and type(value) in (list, tuple, dict):
        return _names(value)
    return encode(value)


def _names(value):
    """A container of words: the result of get_stats, the failed keys of set_multi."""
    if type(value) is list:
        return "[%s]" % ",".join([_names(item) for item in value])
    if type(value) is tuple:
        return '{"$tuple":[%s]}' % ",".join([_names(item) for item in value])
    if type(value) is dict:
        return _mapping(value, _names)
    return _name(value)


def _mapping(value, item_text):
    """A dict by key: of set_multi, or what get_multi returned."""
    parts = []
    for key, item in value.items():
        if not _is_plain_name(key):
            break
        parts.append((_name(key) if PYTHON2 else _quote(key)) + ":" + item_text(item))
    else:
        return "{%s}" % ",".join(parts)
    return '{"$dict":[%s]}' % ",".join(["[%s,%s]" % (_name(key), item_text(item)) for key, item in value.items()])


def _exception_class(error):
    kind = type(error)
    module, name = kind.__module__, kind.__name__
    # Named as in Python 3, so that one table of classes is enough.
    module = {"exceptions": "builtins", "cPickle": "pickle", "_pylibmc": "pylibmc"}.get(module, module)
    if module == "pylibmc" and name == "MemcachedError":
        name = "Error"
    if module in ("socket", "_socket") and name == "timeout":
        module, name = "builtins", "TimeoutError"
    return "%s.%s" % (module, name)


def _exception(options, error):
    text = '"raises":{"class":%s' % _quote(_exception_class(error))
    retcode = getattr(error, "retcode", None)
    if isinstance(retcode, int):
        text += ',"retcode":%d' % retcode
    if options.redact:
        # A message may name a value.
        return text + "}"
    message = re.sub(r" at 0x[0-9a-fA-F]+", "", str(error))
    return "%s,\"message\":%s}" % (text, _quote(message.decode("utf-8", "replace") if PYTHON2 else message))


# Sampling and redaction


def _key_bytes(key):
    if isinstance(key, tuple) and len(key) == 2:
        key = key[1]
    if isinstance(key, TEXT):
        return key.encode("utf-8")
    return bytes(key) if isinstance(key, (bytes, bytearray)) else str(key).encode("utf-8")


def _sampled(sample, prefix, key):
    """Whether a key is recorded: by its bytes, so that every process and every run chooses the same keys."""
    whole = _key_bytes(key) if not prefix else _key_bytes(prefix) + _key_bytes(key)
    return (binascii.crc32(whole) & 0xFFFFFFFF) < sample * 2**32


def _sampled_result(sample, prefix, result):
    if type(result) is dict:
        return dict((key, item) for key, item in result.items() if _sampled(sample, prefix, key))
    if type(result) is list:
        return [key for key in result if _sampled(sample, prefix, key)]
    return result


def redacted(value):
    """A value of the same type and length without its content, as text of typed JSON."""
    kind = type(value)
    if value is None or kind is bool:
        return encode(value)
    if kind is TEXT:
        return encode(_filler(value))
    if kind is bytes:
        return encode(_digits(len(value)).encode("ascii") if value.isdigit() else b"x" * len(value))
    if kind in INTEGERS:
        number = 10 ** (len("%d" % abs(value)) - 1)
        return encode(-number if value < 0 else number if value else 0)
    if kind is float:
        return encode(1.0)
    if kind in (bytearray, complex):
        return encode(bytearray(len(value)) if kind is bytearray else 1j)
    try:
        length = len(pickle.dumps(value, 2 if PYTHON2 else 4))
    except Exception:
        return pickled(value)
    filler = u"x" * max(0, length - 20)
    if kind in _CONTAINERS:
        return pickled({u"x": filler} if kind is dict else kind([filler]))
    base_class = _base_class(kind)
    base = None if base_class is None else _as_base(value, base_class)
    # An object as a call of its class with text; the module's name says that it is not the object itself.
    call = "\x80\x02credacted.%s\n%s\nX" % (kind.__module__, kind.__name__)
    data = bytearray(call.encode("latin-1", "replace"))
    filler = filler[: max(0, length - len(data) - 7)]
    data += bytearray([len(filler) >> shift & 255 for shift in (0, 8, 16, 24)]) + filler.encode("ascii") + b"\x85R."
    text = '{"$pickle":"%s","$repr":%s' % (base64.b64encode(bytes(data)).decode("ascii"), _quote("<%s, redacted>" % _class_name(kind)))
    return text + "}" if base is None or type(base) in _CONTAINERS else '%s,"$base":%s}' % (text, redacted(base))


def _filler(text):
    """A text with the same numbers of characters and of UTF-8 bytes; the text of a number stays a number, because a server counts with it."""
    if text.isdigit():
        return _digits(len(text))
    try:
        more = len(text.encode("utf-8")) - len(text)
    except UnicodeError:
        more = 0
    wide, rest = divmod(more, 3)
    if PYTHON2 and sys.maxunicode == 0xFFFF:
        wide, rest = 0, 0
    tail = (u"", u"\u00e9", u"\u20ac")[rest]
    return u"\U0001f600" * wide + tail + u"x" * (len(text) - wide - len(tail))


def _digits(length):
    return u"1" + u"0" * (length - 1) if length else u""


# Starting and ending


class _Finder(object):
    """Wraps a client library when the application imports it."""

    busy = False

    def find_spec(self, name, path=None, target=None):
        if name not in LIBRARIES:
            return None
        for finder in sys.meta_path:
            if finder is not self and hasattr(finder, "find_spec"):
                spec = finder.find_spec(name, path, target)
                if spec is not None:
                    if spec.loader is not None:
                        spec.loader = _Loader(spec.loader)
                    return spec
        return None

    def find_module(self, name, path=None):
        """Python 2."""
        return self if name in LIBRARIES and not self.busy else None

    def load_module(self, name):
        self.busy = True
        try:
            __import__(name)
        finally:
            self.busy = False
        _imported(name, sys.modules[name])
        return sys.modules[name]


class _Loader(object):
    def __init__(self, loader):
        self.loader = loader

    def create_module(self, spec):
        return self.loader.create_module(spec)

    def exec_module(self, module):
        module.__loader__ = module.__spec__.loader = self.loader
        self.loader.exec_module(module)
        _imported(module.__name__, module)

    def __getattr__(self, name):
        return getattr(self.loader, name)


def _imported(name, module):
    if _session is not None:
        _attempt(_session, LIBRARIES[name].wrap, module)


def _begin(session):
    """Starts a session whose file can be opened. @raises OSError"""
    stop()
    session.open_early()
    _start(session)


def _start(session):
    global _session
    stop()
    _session = session
    for name, library in LIBRARIES.items():
        if name in sys.modules and (hasattr(sys.modules[name], "Client") or hasattr(sys.modules[name], "RetryingClient")):
            library.wrap(sys.modules[name])
    sys.meta_path.insert(0, _Finder())
    _at_exit()


_exit = os._exit
_registered = []


def _at_exit():
    """Lines that wait in memory are written at the end, also by a process that ends itself at once, as multiprocessing's do."""
    if _registered:
        return
    _registered.append(True)
    atexit.register(_stop)

    def exit_at_once(status):
        _close()
        _exit(status)

    exit_at_once.__doc__ = _exit.__doc__
    os._exit = exit_at_once


def _stop():
    _close()
    session = _session
    if session is not None and session.process == os.getpid():
        session.stop()


def _close():
    session = _session
    if session is not None and session.process == os.getpid():
        session.close()
        if session.errors and not session.told:
            session.told = True
            _say("process %d could not write %s, the last because of %s" % (os.getpid(), _count(session.errors, "call"), session.last_error))


def _say(text):
    try:
        sys.stderr.write("memshim_tracer: %s\n" % text)
    except Exception:
        pass


def start_from_environment():
    """Called by the .pth file of `--enable` in every process of the environment: MEMSHIM_TRACE starts a trace."""
    try:
        _start(Session(os.environ["MEMSHIM_TRACE"], Options.of_environment(), "process"))
    except Exception as error:
        _say("nothing is traced: %s" % error)


def main(arguments=None):
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] in (["--enable"], ["--disable"]):
        import sysconfig

        return _enable(arguments, sysconfig.get_paths()["purelib"])
    path = os.environ.get("MEMSHIM_TRACE")
    if not path or not arguments or arguments == ["-m"] or arguments[0] in ("-h", "--help"):
        sys.stderr.write(USAGE)
        return 2 if arguments[:1] not in (["-h"], ["--help"]) else 0
    try:
        session = Session(path, Options.of_environment(), "exact")
        _begin(session)
    except (EnvironmentError, ValueError) as error:
        _say(str(error))
        return 2
    atexit.register(_summary, session)
    import runpy

    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        sys.path[0] = os.getcwd()
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[0]))
        runpy.run_path(sys.argv[0], run_name="__main__")
    return 0


USAGE = """usage: MEMSHIM_TRACE=app.jsonl python -m memshim_tracer script.py arguments...    (or -m module arguments...)
       python -m memshim_tracer --enable     MEMSHIM_TRACE alone traces every Python process of this virtual environment
       python -m memshim_tracer --disable    ends that
       (--enable --system: the same for a Python that is not a virtual environment)

options, all in the environment:
  MEMSHIM_TRACE_APPLICATION=name  traces with this name are parts of one application
  MEMSHIM_TRACE_SOURCE=text       says in the trace what was traced
  MEMSHIM_TRACE_MAX_BYTES=100M    a process begins a new file when its file has this size
  MEMSHIM_TRACE_FILES=2           how many files of each process are kept then
  MEMSHIM_TRACE_GZIP=1            compress (also when the name ends in .gz)
  MEMSHIM_TRACE_SAMPLE=0.1        record this part of the keys
  MEMSHIM_TRACE_REDACT=1          write values of the same type and length instead of the values
"""


def _summary(session):
    if os.getpid() != session.starter or session is not _session:
        return
    own = session.here()
    done = stop()
    others = []
    folder, name = os.path.split(session.variant(".*"))
    start, end = name.split("*", 1)
    for entry in sorted(os.listdir(folder)):
        full = os.path.join(folder, entry)
        if entry.startswith(start) and entry.endswith(end) and full not in done["files"] and os.path.getmtime(full) >= session.began - 1:
            others.append(full)
    if any(output.calls or output.clients for output in own):
        text = "%s of %s, %d not written" % (_count(done["calls"], "call"), _count(done["clients"], "client"), done["errors"])
        text += " (%s)" % done["last_error"] if done["errors"] else ""
        _say("process %d: %s: %s" % (os.getpid(), text, ", ".join(done["files"])))
    else:
        _say("process %d itself called no client of python-memcached, pylibmc or pymemcache, and wrote no trace" % os.getpid())
    if others:
        _say("other processes wrote %s: %s" % (_count(len(others), "file"), os.path.join(folder, name)))


def _count(number, thing):
    return "%d %s%s" % (number, thing, "" if number == 1 else "s")


def _compiled(folder):
    """The compiled files of the copy: beside it (Python 2) or in __pycache__."""
    cache = os.path.join(folder, "__pycache__")
    names = os.listdir(cache) if os.path.isdir(cache) else []
    found = [os.path.join(cache, name) for name in names if name.startswith("memshim_tracer.")]
    return found + [os.path.join(folder, "memshim_tracer.py" + letter) for letter in "co"]


def _enable(arguments, folder):
    import shutil

    hook = os.path.join(folder, "memshim_tracer.pth")
    module = os.path.join(folder, "memshim_tracer.py")
    if set(arguments[1:]) - set(["--system"]):
        sys.stderr.write(USAGE)
        return 2
    if arguments[0] == "--disable":
        if not os.path.exists(hook):
            _say("it was not enabled in %s" % folder)
            return 0
        with open(hook) as file:
            copied = COPIED in file.read()
        os.unlink(hook)
        if copied:
            for file in [module] + _compiled(folder):
                if os.path.exists(file):
                    os.unlink(file)
        _say("disabled: %s is gone" % hook)
        return 0
    base = getattr(sys, "base_prefix", getattr(sys, "real_prefix", sys.prefix))
    if sys.prefix == base and "--system" not in arguments:
        _say("%s is not a virtual environment: run the interpreter of one, or add --system to trace every program of this Python" % sys.prefix)
        return 2
    try:
        text = HOOK
        if os.path.exists(hook):
            with open(hook) as file:
                text += COPIED if COPIED in file.read() else ""
        here = os.path.splitext(os.path.abspath(__file__))[0] + ".py"
        if os.path.realpath(here) != os.path.realpath(module) and (not os.path.exists(module) or COPIED in text):
            shutil.copyfile(here, module)
            text = HOOK + COPIED
        with open(hook, "w") as file:
            file.write(text)
    except EnvironmentError as error:
        _say("cannot be enabled: %s" % error)
        return 2
    _say("enabled: every Python process of %s writes a trace when MEMSHIM_TRACE is set" % sys.prefix)
    return 0


HOOK = 'import os; os.environ.get("MEMSHIM_TRACE") and __import__("memshim_tracer").start_from_environment()\n'
COPIED = "# memshim_tracer.py in this folder is a copy: --disable takes it away again.\n"

if __name__ == "__main__":
    # As a script this file is __main__: the application's `import memshim_tracer` must get the module that is tracing.
    import memshim_tracer

    sys.exit(memshim_tracer.main())
