"""A small Python service on python-memcached: prices with a cache before them. Reads commands, one a line, answers with JSON."""

import json
import sys

import memcache


def database(product):
    return {"product": product, "cents": 100 * len(product), "tags": ["new"]}


def price(cache, product):
    key = "price:" + product
    found = cache.get(key)
    if found is None:
        found = database(product)
        cache.set(key, found, time=60)
        cache.incr("misses") or cache.add("misses", 1)
    return found


def main():
    cache = memcache.Client(sys.argv[1:], socket_timeout=1)
    commands = {
        "price": lambda product: price(cache, product),
        "forget": lambda product: cache.delete("price:" + product),
        "misses": lambda: cache.get("misses"),
    }
    for line in sys.stdin:
        name, *args = line.split()
        print(json.dumps(commands[name](*args)), flush=True)


if __name__ == "__main__":
    main()
