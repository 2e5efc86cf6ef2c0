"""In the place of pylibmc's C extension: memshim/strict. pylibmc's own Python package runs on top of it."""

import json
import os

import bridge as process
from bridge import Kept, as_key, bridge

# Names and numbers as pylibmc 1.6.3 on libmemcached 1.1.4 has them.
with open(os.path.join(os.path.dirname(__file__), "..", "..", "..", "fixtures", "vectors", "pylibmc-surface.json"), encoding="utf-8") as _file:
    _surface = json.load(_file)

__version__ = _surface["version"]
libmemcached_version = "1.1.4"
libmemcached_version_hex = 0x01001004
support_compression = support_sasl = True
server_type_tcp, server_type_udp, server_type_unix = 1, 2, 4
callback_namespace = 0
all_callbacks = ["namespace"]
all_behaviors = [name for name in _surface["behaviors"] if name != "namespace"]
_HASHES = ["default", "md5", "crc", "fnv1_64", "fnv1a_64", "fnv1_32", "fnv1a_32", "hsieh", "murmur", "jenkins"]
_DISTRIBUTIONS = ["modula", "consistent", "consistent ketama", "random", "consistent ketama spy", "consistent weighted", "virtual bucket", "consistent max"]
globals().update({"hash_" + name: number for number, name in enumerate(_HASHES)})
globals().update({"distribution_" + name.replace(" ", "_"): number for number, name in enumerate(_DISTRIBUTIONS)})


def _exception(name, base, **members):
    return type(name, (base,), {"__module__": "pylibmc", **members})


Error = MemcachedError = _exception("Error", Exception)
exceptions = [("Error", Error)]
for _name, _code in _surface["exceptions"].items():
    if _name not in ("Error", "MemcachedError"):
        globals()[_name] = _exception(_name, Error, **({} if _code is None else {"retcode": _code}))
        exceptions.append((_name, globals()[_name]))
process.exceptions.update(exceptions, MemcachedError=Error)


def _server(given):
    """As text: pylibmc's Python package has parsed it into (kind, host, port, weight)."""
    if not isinstance(given, tuple) or len(given) != 4:
        return given
    kind, host, port, weight = given
    if kind == server_type_unix:
        return host
    address = "%s:%d:%d" % ("[%s]" % host if ":" in host else host, port, weight)
    return "udp:" + address if kind == server_type_udp else address


def _named(behaviors):
    """Hashes and distributions by their names: pylibmc's Python package has made numbers of them."""
    named = dict(behaviors)
    for name, names in (("hash", _HASHES), ("distribution", _DISTRIBUTIONS[:-1])):
        if type(named.get(name)) is int and 0 <= named[name] < len(names):
            named[name] = names[named[name]]
    return named


def _prefixed(key_prefix, **options):
    return options if key_prefix is None else dict(options, key_prefix=as_key(key_prefix))


def _keys(keys):
    return [as_key(key) for key in keys]


class client:
    def __init__(self, servers, binary=False, username=None, password=None, behaviors=None):
        given = {"binary": binary, "username": username, "password": password, "behaviors": behaviors and _named(behaviors)}
        own = [name for name in ("serialize", "deserialize") if getattr(type(self), name) is not getattr(client, name)]
        options = {name: value for name, value in given.items() if value is not None}
        handle = bridge().call("strict", "new", None, [_server(server) for server in servers], options, own)
        self._made(handle, own, (behaviors or {}).get("pickle_protocol", -1))

    def _made(self, handle, own, protocol):
        self._handle, self._own, self._protocol = handle, own, protocol
        bridge().owners[handle] = self

    def __del__(self):
        if hasattr(self, "_handle"):
            bridge().dropped.append(self._handle)

    def _call(self, operation, *args, protocol=4):
        return bridge().call("strict", operation, self._handle, *args, protocol=protocol)

    def hook(self, name, args):
        return self.serialize(*args) if name == "serialize" else Kept(self.deserialize(*args))

    def _value(self, value):
        """A value that a hook will serialize stays here."""
        return Kept(value) if "serialize" in self._own else value

    def cas(self, key, val, cas, time=0):
        return self._call("cas", as_key(key), self._value(val), cas, time, protocol=self._protocol)

    def get(self, key, default=None):
        return self._call("get", as_key(key), Kept(default))

    def gets(self, key):
        return self._call("gets", as_key(key))

    def get_multi(self, keys, key_prefix=None):
        return self._call("get_multi", _keys(keys), _prefixed(key_prefix))

    def incr(self, key, delta=1):
        return self._call("incr", as_key(key), delta)

    def decr(self, key, delta=1):
        return self._call("decr", as_key(key), delta)

    def incr_multi(self, keys, key_prefix=None, delta=1):
        return self._call("incr_multi", _keys(keys), _prefixed(key_prefix, delta=delta))

    def delete(self, key):
        return self._call("delete", as_key(key))

    def delete_multi(self, keys, key_prefix=None):
        return self._call("delete_multi", _keys(keys), _prefixed(key_prefix))

    def touch(self, key, time):
        return self._call("touch", as_key(key), time)

    def hash(self, key):
        return self._call("hash", as_key(key))

    def flush_all(self, time=0):
        return self._call("flush_all", time)

    def get_stats(self, args=None):
        return [tuple(pair) for pair in self._call("get_stats", args)]

    def disconnect_all(self):
        return self._call("disconnect_all")

    def get_behaviors(self):
        behaviors = self._call("get_behaviors")
        return dict(behaviors, hash=_HASHES.index(behaviors["hash"]), distribution=_DISTRIBUTIONS.index(behaviors["distribution"]))

    def set_behaviors(self, behaviors):
        self._call("set_behaviors", _named(behaviors))
        self._protocol = behaviors.get("pickle_protocol", self._protocol)

    def serialize(self, value):
        return self._call("serialize", value, protocol=self._protocol)

    def deserialize(self, bytestring, flags):
        return self._call("deserialize", bytestring, flags)

    def clone(self):
        made = type(self).__new__(type(self))
        made._made(self._call("clone"), self._own, self._protocol)
        return made


def _store(operation):
    def method(self, key, val, time=0, min_compress_len=0, compress_level=-1):
        options = {"time": time, "min_compress_len": min_compress_len, "compress_level": compress_level}
        return self._call(operation, as_key(key), self._value(val), options, protocol=self._protocol)

    return method


def _store_many(operation):
    def method(self, mapping, time=0, key_prefix=None, min_compress_len=0, compress_level=-1):
        options = _prefixed(key_prefix, time=time, min_compress_len=min_compress_len, compress_level=compress_level)
        values = {as_key(key): self._value(value) for key, value in mapping.items()}
        return self._call(operation, values, options, protocol=self._protocol)

    return method


for _name in ("set", "add", "replace", "append", "prepend"):
    setattr(client, _name, _store(_name))
for _name in ("set_multi", "add_multi"):
    setattr(client, _name, _store_many(_name))
