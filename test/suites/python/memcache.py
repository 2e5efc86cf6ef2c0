"""In the place of python-memcached's module: memshim/compat. MEMSHIM_EMULATE names the preset, e.g. python-memcached-1.59."""

import binascii
import inspect
import io
import os
import pickle
import sys
import threading
import zlib

import bridge as process
from bridge import Kept, as_key, bridge

_PRESET = os.environ["MEMSHIM_EMULATE"]
__version__ = _PRESET.rpartition("-")[2]
_SINCE_160 = tuple(int(part) for part in __version__.split(".")) >= (1, 60)
SERVER_MAX_KEY_LENGTH = 250
SERVER_MAX_VALUE_LENGTH = 1024 * 1024
_DEAD_RETRY = 30
_SOCKET_TIMEOUT = 3
_NOT_GIVEN = object()


def cmemcache_hash(key):
    return (((binascii.crc32(key) & 0xFFFFFFFF) >> 16) & 0x7FFF) or (0 if _SINCE_160 else 1)


serverHashFunction = cmemcache_hash


class _Error(Exception):
    pass


class _ConnectionDeadError(Exception):
    pass


class _Host:
    """What memshim tells of a server. The methods are there because tests patch them; they do nothing."""

    def __init__(self, facts):
        self.__dict__.update(facts)

    def _not_here(self, *args):
        raise NotImplementedError("memshim's servers have no methods")

    connect = close_socket = send_cmd = send_cmds = readline = expect = recv = mark_dead = check_dead = _not_here


class _Functions:
    """The client's functions, for calls from memshim. They outlive the thread that made the client, and do not keep the client alive."""

    def __init__(self, client):
        self.__dict__.update(client.__dict__)

    def hook(self, name, args):
        if name == "pickler":
            return self.pickled(*args)
        if name == "unpickler":
            reader = self.unpickler(io.BytesIO(args[0]))
            if self.persistent_load:
                reader.persistent_load = self.persistent_load
            return Kept(reader.load())
        return {"compressor": self.compressor, "decompressor": self.decompressor, "keyEncoder": self.key_encoder}[name](*args)

    def pickled(self, value, protocol):
        out = io.BytesIO()
        try:
            writer = self.pickler(out, protocol=protocol)
        except TypeError:
            writer = self.pickler(out, protocol)
        if self.persistent_id:
            writer.persistent_id = self.persistent_id
        writer.dump(value)
        return out.getvalue()


class Client(threading.local):
    _FLAG_PICKLE, _FLAG_INTEGER, _FLAG_LONG, _FLAG_COMPRESSED, _FLAG_TEXT = 1, 2, 4, 8, 16
    _SERVER_RETRIES = 10

    class MemcachedKeyError(Exception):
        pass

    class MemcachedKeyLengthError(MemcachedKeyError):
        pass

    class MemcachedKeyCharacterError(MemcachedKeyError):
        pass

    class MemcachedKeyNoneError(MemcachedKeyError):
        pass

    class MemcachedKeyTypeError(MemcachedKeyError):
        pass

    class MemcachedStringEncodingError(Exception):
        pass

    def __init__(self, servers, debug=0, pickleProtocol=0, pickler=pickle.Pickler, unpickler=pickle.Unpickler, compressor=zlib.compress,
                 decompressor=zlib.decompress, pload=None, pid=None, server_max_key_length=None, server_max_value_length=None,
                 dead_retry=_DEAD_RETRY, socket_timeout=_SOCKET_TIMEOUT, cache_cas=False, flush_on_reconnect=0, check_keys=True, **more):  # fmt: skip
        super().__init__()
        self.key_encoder = more.pop("key_encoder", None) if _SINCE_160 else None
        for name in more:
            raise TypeError("__init__() got an unexpected keyword argument %r" % name)
        self.debug, self.dead_retry, self.socket_timeout = debug, dead_retry, socket_timeout
        self.flush_on_reconnect, self.cache_cas, self.do_check_key = flush_on_reconnect, cache_cas, check_keys
        self.stats = {}
        self.pickleProtocol, self.pickler, self.unpickler = pickleProtocol, pickler, unpickler
        self.compressor, self.decompressor = compressor, decompressor
        self.persistent_load, self.persistent_id = pload, pid
        self.server_max_key_length = SERVER_MAX_KEY_LENGTH if server_max_key_length is None else server_max_key_length
        self.server_max_value_length = SERVER_MAX_VALUE_LENGTH if server_max_value_length is None else server_max_value_length
        self._own_pickles = bool(pickler is not pickle.Pickler or unpickler is not pickle.Unpickler or pload or pid)
        own = ["pickler", "unpickler"] if self._own_pickles else []
        own += ["compressor"] if compressor is not zlib.compress else []
        own += ["decompressor"] if decompressor is not zlib.decompress else []
        own += ["keyEncoder"] if self.key_encoder else []
        options = {
            "emulate": _PRESET, "debug": bool(debug), "pickleProtocol": pickleProtocol, "server_max_key_length": self.server_max_key_length,
            "server_max_value_length": self.server_max_value_length, "dead_retry": dead_retry, "socket_timeout": socket_timeout,
            "cache_cas": bool(cache_cas), "flush_on_reconnect": bool(flush_on_reconnect), "check_keys": bool(check_keys),
        }  # fmt: skip
        self._handle = bridge().call("compat", "new", None, list(servers), options, own)
        self._functions = _Functions(self)
        bridge().owners[self._handle] = self._functions
        bridge().debug = lambda line: sys.stderr.write(line + "\n")

    def _call(self, operation, *args, protocol=4):
        return bridge().call("compat", operation, self._handle, *args, protocol=protocol)

    def _value(self, value):
        """A value that the client's own pickler will write stays here."""
        return Kept(value) if self._own_pickles and not isinstance(value, (str, bytes, int)) else value

    @property
    def servers(self):
        return [_Host(facts) for facts in self._call("servers")]

    def set_servers(self, servers):
        return self._call("set_servers", list(servers))

    def get(self, key, default=_NOT_GIVEN):
        return self._call("get", as_key(key), *([] if default is _NOT_GIVEN else [Kept(default)]))

    def gets(self, key):
        return self._call("gets", as_key(key))

    def get_multi(self, keys, key_prefix=""):
        return self._call("get_multi", [as_key(key) for key in keys], {"key_prefix": as_key(key_prefix)})

    def set_multi(self, mapping, time=0, key_prefix="", min_compress_len=0, noreply=False):
        options = {"time": time, "key_prefix": as_key(key_prefix), "min_compress_len": min_compress_len, "noreply": noreply}
        values = {as_key(key): self._value(value) for key, value in mapping.items()}
        return self._call("set_multi", values, options, protocol=self.pickleProtocol)

    def incr(self, key, delta=1, noreply=False):
        return self._call("incr", as_key(key), delta, {"noreply": noreply})

    def decr(self, key, delta=1, noreply=False):
        return self._call("decr", as_key(key), delta, {"noreply": noreply})

    def _delete(self, key, **options):
        return self._call("delete", as_key(key), options)

    def _delete_many(self, keys, key_prefix, **options):
        return self._call("delete_multi", [as_key(key) for key in keys], dict(options, key_prefix=as_key(key_prefix)))

    if _SINCE_160:

        def delete(self, key, noreply=False):
            return self._delete(key, noreply=noreply)

        def delete_multi(self, keys, key_prefix="", noreply=False):
            return self._delete_many(keys, key_prefix, noreply=noreply)

        def quit_all(self):
            return self._call("quit_all")

    else:

        def delete(self, key, time=None, noreply=False):
            return self._delete(key, noreply=noreply, **({} if time is None else {"time": time}))

        def delete_multi(self, keys, time=None, key_prefix="", noreply=False):
            return self._delete_many(keys, key_prefix, noreply=noreply, **({} if time is None else {"time": time}))

    def touch(self, key, time=0, noreply=False):
        return self._call("touch", as_key(key), time, {"noreply": noreply})

    def _deletetouch(self, expected, cmd, key, time=0, noreply=False):
        return self._call("deletetouch", list(expected), cmd, as_key(key), time, {"noreply": noreply})

    def get_stats(self, stat_args=None):
        return self._call("get_stats", stat_args)

    def check_key(self, key, key_extra_len=0):
        return self._call("check_key", as_key(key), key_extra_len)

    def debuglog(self, text):
        return self._call("debuglog", text)


def _store(operation):
    def method(self, key, val, time=0, min_compress_len=0, noreply=False):
        options = {"time": time, "min_compress_len": min_compress_len, "noreply": noreply}
        return self._call(operation, as_key(key), self._value(val), options, protocol=self.pickleProtocol)

    return method


def _plain(operation):
    return lambda self: self._call(operation)


for _name in ("set", "add", "replace", "append", "prepend", "cas"):
    setattr(Client, _name, _store(_name))
for _name in ("flush_all", "get_slab_stats", "get_slabs", "disconnect_all", "forget_dead_hosts", "reset_cas"):
    setattr(Client, _name, _plain(_name))
process.exceptions.update((name, kind) for name, kind in vars(Client).items() if inspect.isclass(kind) and issubclass(kind, Exception))
