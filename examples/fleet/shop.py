"""A shop on Django in one file: pages from the cache, a counter and a list of favourites on the library itself, as old code has it.

Environment: SERVERS (comma separated), LIBRARY (memcache or pylibmc), FIXED=1 for the code after two findings were fixed, PORT.
"""

import json
import os
import socketserver
import sys
import threading
import wsgiref.simple_server

import django
from django.conf import settings
from django.http import JsonResponse
from django.urls import path

SERVERS = os.environ["SERVERS"].split(",")
LIBRARY = os.environ["LIBRARY"]
FIXED = os.environ.get("FIXED") == "1"
BACKEND = {"memcache": "MemcachedCache", "pylibmc": "PyLibMCCache"}[LIBRARY]

settings.configure(
    ALLOWED_HOSTS=["*"],
    SECRET_KEY="an example",
    ROOT_URLCONF=__name__,
    CACHES={"default": {"BACKEND": "django.core.cache.backends.memcached." + BACKEND, "LOCATION": SERVERS}},
)
django.setup()

from django.core.cache import cache  # noqa: E402  (needs the settings)

if LIBRARY == "memcache":
    import memcache as library
else:
    import pylibmc as library



class Clients(threading.local):
    """A client for each thread: python-memcached's looks after that itself, pylibmc's belongs to the thread that made it."""

    def __init__(self):
        self.client = library.Client(SERVERS)


clients = Clients()


def product(request, number):
    page = cache.get("product:%d" % number)
    hit = page is not None
    if not hit:
        page = {"number": number, "name": "product %d" % number, "tags": ["new"] * (number % 4), "price": number * 1.5}
        cache.set("product:%d" % number, page, 300)
    return JsonResponse({"hit": hit, "page": page})


def count(request, number):
    """How often a product was bought."""
    key = "bought:%d" % number
    if FIXED:
        clients.client.add(key, 0)
        bought = clients.client.incr(key)
    else:
        # python-memcached says None where the counter is missing; pylibmc raises NotFound.
        bought = clients.client.incr(key)
        if bought is None:
            clients.client.set(key, 1)
            bought = 1
    return JsonResponse({"bought": bought})


def forget(request, number):
    if FIXED:
        clients.client.delete("favourite:%d" % number)
    else:
        # pylibmc's delete has no second argument.
        clients.client.delete("favourite:%d" % number, 0)
    clients.client.set("favourite:%d" % (number + 1), [number, number + 1], 60)
    return JsonResponse({})


urlpatterns = [path("product/<int:number>", product), path("count/<int:number>", count), path("forget/<int:number>", forget)]


class Server(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    daemon_threads = True


class Quiet(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *arguments):
        pass


if __name__ == "__main__":
    from django.core.wsgi import get_wsgi_application

    server = Server(("127.0.0.1", 0), Quiet)
    server.set_app(get_wsgi_application())
    print(json.dumps({"port": server.server_port}), flush=True)
    # The end of standard input is the end of the shop.
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
