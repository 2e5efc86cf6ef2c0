"""Runs the tracer in real deployments and checks its traces: `npm run tracer:deployments` (two minutes).

Each deployment is the command of docs/audit.md on a real server, with a Django site (shop.py) and a real memcached. Every request
makes calls with a key of its own. At the end each of them must be in the traces exactly once, every file must belong to one process and be
readable by its owner only, and `memshim audit` must accept the files. The packages are installed under .cache/venvs/deployments.

    python3 test/deployments/deployments.py [part of a name]...
"""

import concurrent.futures
import glob
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
VENV = os.path.join(ROOT, ".cache", "venvs", "deployments")
BIN = os.path.join(VENV, "bin")
PACKAGES = [
    "Django==4.0.10", "gunicorn==23.0.0", "uwsgi==2.0.28", "celery==5.4.0", "gevent==24.11.1", "python-memcached==1.59", "six==1.17.0",
    "pylibmc==1.6.3",
]  # fmt: skip
REQUESTS = 60
DEADLINE = 120


def environment():
    """The virtual environment, with the tracer enabled as a user enables it."""
    python = os.path.join(BIN, "python")
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    mark = os.path.join(VENV, "packages.json")
    # The commands in it name the folder where they were installed.
    made = [os.path.realpath(VENV), PACKAGES]
    if not os.path.exists(mark) or json.load(open(mark)) != made:
        shutil.rmtree(VENV, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
        subprocess.run(pip + PACKAGES, check=True)
        with open(mark, "w") as file:
            json.dump(made, file)
    tracer = os.path.join(ROOT, "python", "memshim_tracer.py")
    # The one in the repository, not the copy of an earlier run.
    subprocess.run([python, tracer, "--enable"], check=True, cwd=os.path.join(ROOT, "python"))
    return python


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def until(condition, what):
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("timed out: " + what)


def get(port, number):
    # As long as the test waits at all: a request that is given up may still be answered, and asking again would make its calls twice.
    with urllib.request.urlopen("http://127.0.0.1:%d/%d" % (port, number), timeout=DEADLINE) as answer:
        process, value = answer.read().decode("ascii").split()
    assert int(value) == number, (number, value)
    return int(process)


class Site:
    """One deployment: a folder to run in, a port, an environment, and what was asked of it."""

    def __init__(self, folder, memcached, backend):
        self.folder = folder
        self.port = free_port()
        self.process = None
        self.asked = []
        shutil.copy(os.path.join(HERE, "shop.py"), folder)
        shutil.copy(os.path.join(HERE, "shop.py"), os.path.join(folder, "manage.py"))
        os.mkdir(os.path.join(folder, "queue"))
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(("MEMSHIM", "PYTHON"))}
        self.env.update(SHOP_MEMCACHED=memcached, SHOP_BACKEND=backend, SHOP_QUEUE=os.path.join(folder, "queue"), PATH=BIN + os.pathsep + os.environ["PATH"])
        self.env["MEMSHIM_TRACE"] = "app.jsonl"
        self.log = open(os.path.join(folder, "log"), "w+")

    def start(self, command, **more):
        self.process = subprocess.Popen(command, cwd=self.folder, env=dict(self.env, **more), stdout=self.log, stderr=self.log, start_new_session=True)

    def ready(self):
        def answers():
            if self.process.poll() is not None:
                raise AssertionError("the server ended: " + self.output())
            try:
                self.ask(1)
                return True
            except OSError:
                return False

        until(answers, "the server answers")

    def ask(self, count, processes=None):
        """`count` requests, six at a time; further ones until `processes` different processes have answered."""
        seen = set()
        with concurrent.futures.ThreadPoolExecutor(6) as pool:

            def some(count):
                numbers = range(len(self.asked) + 1, len(self.asked) + 1 + count)
                found = list(pool.map(lambda number: get(self.port, number), numbers))
                self.asked.extend(numbers)
                seen.update(found)
                return processes is None or len(seen) >= processes

            if not some(count):
                until(lambda: some(20), "%d processes answer" % processes)
        return seen

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=DEADLINE)

    def kill(self):
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def output(self):
        self.log.seek(0)
        return self.log.read()

    def check(self, expected=None, least_files=1, exact=False):
        """Every call is in the traces once; returns the processes that wrote. The server has ended."""
        files = sorted(glob.glob(os.path.join(self.folder, "app*.jsonl")))
        assert len(files) >= least_files, (files, self.output())
        processes, stored, read = [], [], []
        for file in files:
            assert stat.S_IMODE(os.stat(file).st_mode) == 0o600, oct(os.stat(file).st_mode)
            with open(file, encoding="ascii") as lines:
                rows = [json.loads(line) for line in lines]
            processes.append(rows[0]["process"])
            assert exact or os.path.basename(file).split(".")[1].startswith(str(rows[0]["process"])), (file, rows[0])
            assert rows[0]["frameworks"] == {"Django": "4.0.10"}, rows[0]
            for row in rows[1:]:
                if row.get("call") in ("set", "get"):
                    (stored if row["call"] == "set" else read).append(int(row["args"][0].rsplit("id", 1)[1]))
                    assert row["at"].split(":")[0] in ("shop.py", "manage.py"), row
                    assert row["via"] == ["django.core.cache.backends.memcached:" + row["call"]], row
        assert len(set(processes)) == len(processes), processes
        expected = sorted(self.asked if expected is None else expected)
        assert sorted(stored) == expected, ("stored", missing(expected, stored), self.output())
        assert sorted(read) == expected, ("read", missing(expected, read), self.output())
        audited = subprocess.run(["node", os.path.join(ROOT, "dist", "cli", "main.js"), "audit", files[0], "--quiet"], capture_output=True, text=True)
        assert audited.returncode == 0, audited.stderr
        return set(processes)


def missing(expected, found):
    return {"missing": sorted(set(expected) - set(found)), "twice": sorted({n for n in found if found.count(n) > 1})}


def gunicorn(site, *more):
    site.start(["gunicorn", "--bind", "127.0.0.1:%d" % site.port, "--workers", "3", *more, "shop:application"])
    site.ready()
    seen = site.ask(REQUESTS, processes=3 if "gevent" not in more else 2)
    site.stop()
    return seen


def gunicorn_threads(site):
    seen = gunicorn(site, "--threads", "2")
    assert site.check(least_files=3) >= seen


def gunicorn_preload(site):
    site.env["SHOP_PRELOADED_CALL"] = "1"
    seen = gunicorn(site, "--threads", "2", "--preload")
    # The parent's own call is in the parent's own file.
    assert site.check(site.asked + [0], least_files=4) >= seen | {site.process.pid}


def gunicorn_gevent(site):
    seen = gunicorn(site, "--worker-class", "gevent")
    assert site.check(least_files=2) >= seen


def gunicorn_recycled(site):
    """Workers that end after some requests."""
    site.start(["gunicorn", "--bind", "127.0.0.1:%d" % site.port, "--workers", "2", "--max-requests", "10", "shop:application"])
    site.ready()
    seen = set()
    for _ in range(6):
        # One at a time: a worker that ends closes its connections.
        seen |= {get_again(site) for _ in range(10)}
    site.stop()
    assert site.check(least_files=3) >= seen


def get_again(site):
    number = len(site.asked) + 1

    def attempt():
        try:
            return get(site.port, number)
        except OSError:
            return None

    found = until(attempt, "an answer")
    site.asked.append(number)
    return found


def gunicorn_install(site):
    """install() in the application's module, in every worker, without the hook."""
    del site.env["MEMSHIM_TRACE"]
    site.env["SHOP_INSTALL"] = "app.jsonl"
    seen = gunicorn(site, "--threads", "2")
    assert site.check(least_files=3, exact=True) >= seen


def gunicorn_install_preload(site):
    """install() before the fork."""
    del site.env["MEMSHIM_TRACE"]
    site.env.update(SHOP_INSTALL="app.jsonl", SHOP_PRELOADED_CALL="1")
    seen = gunicorn(site, "--threads", "2", "--preload")
    assert site.check(site.asked + [0], least_files=4, exact=True) >= seen | {site.process.pid}


def gunicorn_wrapped(site):
    """The tracer starts the server: its closing line names the other processes' files."""
    site.start(["python", "-m", "memshim_tracer", "-m", "gunicorn", "--bind", "127.0.0.1:%d" % site.port, "--workers", "3", "shop:application"])
    site.ready()
    seen = site.ask(REQUESTS, processes=3)
    site.stop()
    assert site.check(least_files=3, exact=True) >= seen
    lines = [line for line in site.output().splitlines() if line.startswith("memshim_tracer: ")]
    assert "process %d itself called no client" % site.process.pid in lines[0], lines
    assert "other processes wrote %d files" % len(glob.glob(os.path.join(site.folder, "app.*.jsonl"))) in lines[1], lines


def uwsgi(site, *more):
    command = ["uwsgi", "--http-socket", "127.0.0.1:%d" % site.port, "--master", "--processes", "2", "--threads", "2", "--die-on-term"]
    site.start(command + ["--virtualenv", VENV, "--module", "shop:application", *more])
    site.ready()
    seen = site.ask(REQUESTS, processes=2)
    # uWSGI may end a worker at once, and then the calls of its last 50 ms are lost.
    time.sleep(1)
    site.stop()
    return seen


def uwsgi_preforking(site):
    site.env["SHOP_PRELOADED_CALL"] = "1"
    seen = uwsgi(site)
    assert site.check(site.asked + [0], least_files=3) >= seen | {site.process.pid}


def uwsgi_lazy(site):
    seen = uwsgi(site, "--lazy-apps")
    assert site.check(least_files=2) >= seen


def runserver(site):
    """The reloader starts the site in a child, and again in another when a file changes."""
    site.start(["python", "manage.py", "runserver", "127.0.0.1:%d" % site.port])
    site.ready()
    first = site.ask(5)
    changed = os.path.join(site.folder, "manage.py")
    os.utime(changed, (time.time() + 5, time.time() + 5))

    def reloaded():
        try:
            return site.ask(1) - first
        except OSError:
            return None

    second = until(reloaded, "the reloader starts the site again")
    site.ask(5)
    # As Ctrl-C in a terminal does it; a second later, because the children are ended at once and without notice.
    time.sleep(1)
    os.killpg(site.process.pid, signal.SIGINT)
    site.process.wait(timeout=DEADLINE)
    assert site.check(least_files=2) >= first | second


def celery(site):
    queue = ["-c", "import shop\nfor number in range(1, %d): shop.task.delay(number)" % (REQUESTS + 1)]
    # The sender calls no cache and writes no trace.
    subprocess.run([os.path.join(BIN, "python")] + queue, cwd=site.folder, env=site.env, check=True)
    site.start(["celery", "--app", "shop", "worker", "--pool", "prefork", "--concurrency", "2", "--loglevel", "INFO"])
    until(lambda: site.output().count("succeeded") >= REQUESTS, "the tasks are done")
    site.stop()
    site.check(range(1, REQUESTS + 1), least_files=2)


DEPLOYMENTS = [
    gunicorn_threads, gunicorn_preload, gunicorn_gevent, gunicorn_recycled, gunicorn_install, gunicorn_install_preload, gunicorn_wrapped,
    uwsgi_preforking, uwsgi_lazy, runserver, celery,
]  # fmt: skip


def main():
    wanted = [deployment for deployment in DEPLOYMENTS if not sys.argv[1:] or any(word in deployment.__name__ for word in sys.argv[1:])]
    if not wanted:
        sys.exit("there is no such deployment: choose from " + ", ".join(deployment.__name__ for deployment in DEPLOYMENTS))
    environment()
    port = free_port()
    user = ["-u", "nobody"] if os.getuid() == 0 else []
    memcached = subprocess.Popen([os.environ.get("MEMSHIM_MEMCACHED", "memcached"), "-l", "127.0.0.1", "-p", str(port), "-U", "0"] + user)
    failed = 0
    try:
        for deployment in wanted:
            for backend in ("MemcachedCache", "PyLibMCCache"):
                folder = tempfile.mkdtemp(prefix="memshim-deployment-")
                site = Site(folder, "127.0.0.1:%d" % port, backend)
                name = "%-26s %-15s" % (deployment.__name__, backend)
                try:
                    deployment(site)
                    print("%s ok: %d requests, %d files" % (name, len(site.asked), len(glob.glob(os.path.join(folder, "app*.jsonl")))), flush=True)
                except Exception as error:
                    failed += 1
                    print("%s FAILED: %s: %s" % (name, type(error).__name__, error), flush=True)
                finally:
                    site.kill()
                    site.log.close()
                    shutil.rmtree(folder, ignore_errors=True)
    finally:
        memcached.terminate()
        memcached.wait()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
