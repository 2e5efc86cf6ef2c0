"""pymemcache's classes for driver.py: clients by the name of their class, code that a scenario names, and a clock that stands still.

A scenario's keywords are those of the constructor, and `class` (default Client) and `nodes` (other servers for a HashClient than the scenario's). Code is named: {"$named": "PickleSerde", "args": [2]}.
"""

import json
import socket

import pymemcache.client.base
import pymemcache.client.hash
import pymemcache.client.retrying
import pymemcache.exceptions
import pymemcache.pool
import pymemcache.serde

BEGINNING = 1_000_000_000.0


class Clock:
    """Replaces the module `time`: it advances only when a scenario says so."""

    def __init__(self):
        self.now = BEGINNING

    def time(self):
        return self.now


CLOCK = Clock()


def set_clock():
    pymemcache.client.hash.time = CLOCK
    pymemcache.pool.time = CLOCK


def json_serializer(key, value):
    if isinstance(value, str):
        return value, 1
    return json.dumps(value), 2


def json_deserializer(key, value, flags):
    if flags == 1:
        return value
    if flags == 2:
        return json.loads(value)
    raise Exception("Unknown flags for value: %d" % flags)


def failing_serializer(key, value):
    raise RuntimeError("cannot serialize")


def failing_deserializer(key, value, flags):
    raise RuntimeError("cannot deserialize")


OWN = {function.__name__: function for function in (json_serializer, json_deserializer, failing_serializer, failing_deserializer)}
OWN["KeepaliveOpts"] = pymemcache.client.base.KeepaliveOpts
BUILTINS = {"OSError": OSError, "ConnectionRefusedError": ConnectionRefusedError, "ValueError": ValueError, "TimeoutError": TimeoutError}


def named(name):
    for place in (OWN, BUILTINS, vars(pymemcache.serde), vars(pymemcache.exceptions)):
        if name in place:
            return place[name]
    raise AttributeError("pymemcache has no %s" % name)


def resolve(value, decode):
    if isinstance(value, list):
        return [resolve(item, decode) for item in value]
    if isinstance(value, dict) and "$named" in value:
        found = named(value["$named"])
        if "args" not in value and "kwargs" not in value:
            return found
        kwargs = {name: resolve(item, decode) for name, item in value.get("kwargs", {}).items()}
        return found(*[resolve(item, decode) for item in value.get("args", [])], **kwargs)
    return decode(value)


class Resolver:
    """The module `socket`, to which the servers of a HashClient have names that are the same in every recording: they decide the placement."""

    def __init__(self, addresses):
        self.addresses = dict(addresses)

    def __getattr__(self, name):
        return getattr(socket, name)

    def getaddrinfo(self, host, port, *more):
        host, port = self.addresses.get((host, port), (host, port))
        return socket.getaddrinfo(host, port, *more)


def named_servers(servers):
    names = [("server-%d" % index, 11211) for index in range(len(servers))]
    real = [(host, int(port)) for host, port in (server.rsplit(":", 1) for server in servers)]
    return names, Resolver(zip(names, real))


def make(servers, kwargs, decode):
    kwargs = dict(kwargs)
    kind = kwargs.pop("class", "Client")
    if kind == "RetryingClient":
        inner = make(servers, kwargs.pop("inner", {}), decode)
        return pymemcache.client.retrying.RetryingClient(inner, **{name: resolve(value, decode) for name, value in kwargs.items()})
    given = "nodes" in kwargs
    if given:
        servers = decode(kwargs.pop("nodes"))
    resolved = {name: resolve(value, decode) for name, value in kwargs.items()}
    if kind == "HashClient":
        if not given:
            servers, resolved["socket_module"] = named_servers(servers)
        return pymemcache.client.hash.HashClient(servers, **resolved)
    return getattr(pymemcache.client.base, kind)(resolved.pop("server", servers[0]), **resolved)
