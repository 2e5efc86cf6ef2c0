"""In the place of pymemcache: memshim/pymemcache. What Django's backend uses of it: HashClient and pickle_serde."""

import types

import bridge as process
from bridge import Kept, as_key, bridge
from pymemcache import exceptions, serde
from pymemcache.exceptions import *  # noqa: F403

__version__ = "4.0.0"


class HashClient:
    def __init__(self, servers, serde=None, timeout=None, connect_timeout=None, no_delay=False, ignore_exc=False, key_prefix=b"", allow_unicode_keys=False,
                 default_noreply=True, encoding="ascii", retry_attempts=2, retry_timeout=1, dead_timeout=60, use_pooling=False, max_pool_size=None):  # fmt: skip
        options = {
            "serde": None if serde is None else "pickle_serde", "timeout": timeout, "connectTimeout": connect_timeout, "noDelay": no_delay, "ignoreExc": ignore_exc,
            "keyPrefix": key_prefix, "allowUnicodeKeys": allow_unicode_keys, "defaultNoreply": default_noreply, "encoding": encoding, "retryAttempts": retry_attempts,
            "retryTimeout": retry_timeout, "deadTimeout": dead_timeout, "usePooling": use_pooling,
        }  # fmt: skip
        # Django's tests look at both.
        self.clients = {_address(server): types.SimpleNamespace(serde=serde) for server in servers}
        self.default_kwargs = {"serde": serde, "no_delay": no_delay, "allow_unicode_keys": allow_unicode_keys, "default_noreply": default_noreply}
        self._handle = bridge().call("pymemcache", "new", None, [_address(server) for server in servers], options, [])

    def _call(self, operation, *args):
        return bridge().call("pymemcache", operation, self._handle, *args)

    def get(self, key, default=None):
        return self._call("get", as_key(key), Kept(default))

    def get_many(self, keys):
        return self._call("get_many", [as_key(key) for key in keys])

    def set_many(self, values, expire=0, noreply=None, flags=None):
        return self._call("set_many", {as_key(key): value for key, value in values.items()}, _options(expire, noreply, flags))

    def incr(self, key, value, noreply=False):
        return self._call("incr", as_key(key), value, {"noreply": noreply})

    def decr(self, key, value, noreply=False):
        return self._call("decr", as_key(key), value, {"noreply": noreply})

    def delete(self, key, noreply=None):
        return self._call("delete", as_key(key), {"noreply": noreply})

    def delete_many(self, keys, noreply=None):
        return self._call("delete_many", [as_key(key) for key in keys], {"noreply": noreply})

    def touch(self, key, expire=0, noreply=None):
        return self._call("touch", as_key(key), {"expire": expire, "noreply": noreply})

    def flush_all(self):
        return self._call("flush_all")

    def close(self):
        return self._call("close")

    get_multi, set_multi, delete_multi, disconnect_all = get_many, set_many, delete_many, close


def _address(server):
    return "%s:%s" % server if isinstance(server, tuple) else server


def _options(expire, noreply, flags):
    return {"expire": expire, "noreply": noreply, "flags": flags}


def _store(operation):
    def method(self, key, value, expire=0, noreply=None, flags=None):
        return self._call(operation, as_key(key), value, _options(expire, noreply, flags))

    return method


for _name in ("set", "add", "replace", "append", "prepend"):
    setattr(HashClient, _name, _store(_name))
# Django's backends look it up; PyMemcacheCache makes HashClients alone.
Client = HashClient
process.exceptions.update((name, kind) for name, kind in vars(exceptions).items() if isinstance(kind, type))
