"""What the tracer costs an application, as ratios of one process: the same work with and without a trace, in turns.

    python bench/tools/tracer.py [--memcached PATH] [--requests N] [--rounds N] [--sample PART]

Python needs Django and python-memcached or pylibmc; each library that is installed gets its rows. The requests are those of a Django
site (session, counter, page fragment, several keys) called as a WSGI application, so that no web server's time hides the tracer's.
Each row has ratios to the untraced work, as medians over the rounds: of the median time, of the 99th percentile, and of the median processor time.
"""

from __future__ import print_function

import argparse
import decimal
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "python"))
import memshim_tracer  # noqa: E402

clock = getattr(time, "perf_counter", time.time)
processor = getattr(time, "thread_time", getattr(time, "process_time", time.time))


def start_memcached(program):
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    listener.close()
    server = subprocess.Popen([program, "-u", "nobody", "-l", "127.0.0.1", "-p", str(port), "-U", "0"])
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return server, "127.0.0.1:%d" % port
        except OSError:
            time.sleep(0.05)
    raise SystemExit("memcached did not start: " + program)


def django_site(backend, address):
    import django
    from django.conf import settings

    settings.configure(
        ALLOWED_HOSTS=["*"],
        SECRET_KEY="bench",
        ROOT_URLCONF=__name__,
        INSTALLED_APPS=["django.contrib.sessions"],
        MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"],
        SESSION_ENGINE="django.contrib.sessions.backends.cache",
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
        USE_TZ=True,
        CACHES={"default": {"BACKEND": "django.core.cache.backends.memcached." + backend, "LOCATION": address}},
    )
    django.setup(set_prefix=False)
    from django.core.cache import cache
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpResponse
    from django.template import Context, Engine
    from django.urls import path

    engine = Engine(libraries={"cache": "django.templatetags.cache"})
    template = engine.from_string(
        "{% load cache %}{% for row in rows %}{% cache 60 row row.id %}<li>{{ row.name }} {{ row.price }}</li>{% endcache %}{% endfor %}"
    )
    rows = [{"id": number, "name": "Article %d" % number, "price": decimal.Decimal(number) / 7} for number in range(5)]

    def page(request, number):
        request.session["seen"] = request.session.get("seen", 0) + 1
        cache.get_or_set("hits:%d" % (number % 50), 0, 600)
        cache.incr("hits:%d" % (number % 50))
        cache.set("article:%d" % number, {"id": number, "tags": ["a", "b"], "price": decimal.Decimal("12.50")}, 60)
        cache.get_many(["article:%d" % (number - step) for step in range(5)])
        return HttpResponse(template.render(Context({"rows": rows})))

    global urlpatterns
    urlpatterns = [path("<int:number>", page)]
    sys.modules[__name__].urlpatterns = urlpatterns
    application = get_wsgi_application()
    cookie = [""]

    def request(number):
        environ = {
            "REQUEST_METHOD": "GET", "PATH_INFO": "/%d" % number, "SERVER_NAME": "bench", "SERVER_PORT": "80", "HTTP_COOKIE": cookie[0],
            "wsgi.input": None, "wsgi.url_scheme": "http", "wsgi.errors": sys.stderr,
        }  # fmt: skip
        status = []

        def start_response(line, headers, failure=None):
            status.append(line)
            for name, value in headers:
                if name == "Set-Cookie":
                    cookie[0] = value.split(";")[0]

        response = application(environ, start_response)
        b"".join(response)
        response.close()
        if not status[0].startswith("200"):
            raise SystemExit("a request failed: " + status[0])

    return request


def compare(name, work, count, rounds, folder, sample):
    """Prints one row. Work with and without a trace alternates at random, one by one, so that a busy machine meets both; without a trace the wrappers
    stay and pass the call on, because Python specialises the library's code again after each change of its class."""
    middle, last, cost, each = [], [], [], []
    for _ in range(rounds):
        memshim_tracer.install(os.path.join(folder, "trace.jsonl"), sample=sample)
        session = memshim_tracer._session
        for number in range(max(10, count // 10)):
            work(number)
        times, used = {False: [], True: []}, {False: [], True: []}
        for number in range(2 * count):
            traced = random.random() < 0.5
            memshim_tracer._session = session if traced else None
            began, began_used = clock(), processor()
            work(number)
            used[traced].append(processor() - began_used)
            times[traced].append(clock() - began)
        memshim_tracer._session = session
        found = memshim_tracer.stop()
        if found["errors"]:
            raise SystemExit("the tracer counted errors: %r" % found)
        middle.append(part(times[True], 0.5) / part(times[False], 0.5))
        last.append(part(times[True], 0.99) / part(times[False], 0.99))
        cost.append(part(used[True], 0.5) / part(used[False], 0.5))
        each.append(part(times[False], 0.5))
    print(
        "%-44s %9.1f us  time x%.2f  p99 x%.2f  processor x%.2f"
        % (name, part(each, 0.5) * 1e6, part(middle, 0.5), part(last, 0.5), part(cost, 0.5))
    )
    sys.stdout.flush()


def part(numbers, where):
    """The median is at 0.5, the 99th percentile at 0.99."""
    return sorted(numbers)[int(len(numbers) * where)]


def rows(library, address, arguments, folder):
    request = django_site({"memcache": "MemcachedCache", "pylibmc": "PyLibMCCache"}[library], address)
    compare("%s: a Django request" % library, request, arguments.requests, arguments.rounds, folder, arguments.sample)
    client = __import__(library).Client([address])
    decimals = [decimal.Decimal(number) / 7 for number in range(2000)]
    text = "".join(chr(32 + number * 7 % 90) for number in range(26000))
    wide = {"id": 1, "name": "Article", "tags": ["a", "b"], "price": 1.5}
    work = [
        ("set and get of a word", "word", 2000),
        ("set and get of a dict", wide, 2000),
        ("set and get of 26 kB of text", text, 300),
        ("set and get of 26 kB of bytes", text.encode("ascii"), 300),
        ("set and get of 2000 Decimals", decimals, 40),
    ]
    for name, value, count in work:
        compare("%s: %s" % (library, name), lambda number: (client.set("k%d" % (number % 9), value), client.get("k%d" % (number % 9))), count, arguments.rounds, folder, arguments.sample)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--memcached", default="memcached")
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sample", type=float, default=1.0, help="the part of the keys that is traced")
    parser.add_argument("--library", choices=["memcache", "pylibmc"])
    arguments = parser.parse_args()
    if arguments.library is None:
        # Django has one set of settings in a process.
        for library in ("memcache", "pylibmc"):
            subprocess.call([sys.executable, __file__, "--library", library] + sys.argv[1:])
        return
    folder = tempfile.mkdtemp()
    server, address = start_memcached(arguments.memcached)
    try:
        rows(arguments.library, address, arguments, folder)
    finally:
        server.kill()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
