"""Stores values with pylibmc, reads the bytes back over a plain socket, and writes python-items.json.

usage: python record_python_items.py HOST:PORT > python-items.json   (a Python that has pylibmc 1.6.3)
"""
import base64
import json
import platform
import socket
import sys

import pylibmc

USER = {
    "id": 184467,
    "name": "Ada Lovelace",
    "email": "ada@example.org",
    "active": True,
    "score": 3.25,
    "roles": ["admin", "author"],
    "referrer": None,
}


def users(count):
    return [dict(USER, id=i, name="user %d" % i, score=i * 0.5) for i in range(count)]


TEXT = " ".join("%d bottles of beer on the wall" % i for i in range(300))

# name, value, min_compress_len
ITEMS = [
    ("short text", "hello, world", 0),
    ("dict", USER, 0),
    ("list of dicts", users(100), 0),
    ("zlib text", TEXT, 100),
    ("zlib pickle", users(100), 100),
]


def stored(address, key):
    host, port = address.split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(b"get " + key + b"\r\n")
        reply = connection.makefile("rb")
        _, _, flags, size = reply.readline().split()
        return int(flags), reply.read(int(size))


def main(address):
    client = pylibmc.Client([address])
    items = []
    # "json": what the value is, as text, so that formatters leave it on one line.
    for name, value, compress in ITEMS:
        assert client.set("item", value, min_compress_len=compress)
        flags, data = stored(address, b"item")
        items.append({"name": name, "flags": flags, "data": base64.b64encode(data).decode(), "json": json.dumps(value)})
    made = "pylibmc %s, Python %s" % (pylibmc.__version__, platform.python_version())
    json.dump({"madeBy": made, "items": items}, sys.stdout, indent=2)
    print()


main(sys.argv[1])
