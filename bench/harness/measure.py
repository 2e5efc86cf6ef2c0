"""One measurement of a Python client: the rows of measure.mjs with one caller, since these clients block.

usage: python measure.py '<job as JSON>' prints one line of JSON. Job: see measure.mjs; `module` is pylibmc or memcache.
"""
import json
import os
import resource
import sys
import time

START = time.perf_counter()
JOB = json.loads(sys.argv[1])
ROW = JOB["workload"]
SIZE = ROW["size"]
HERE = os.path.dirname(os.path.abspath(__file__))
KEYS = ["bench:item:%08d" % i for i in range(ROW["keys"])]
TICK = os.sysconf("SC_CLK_TCK")


def text(index):
    head = "%d:" % index
    return head + ("The quick brown fox jumps over the lazy dog. " * (SIZE // 45 + 1))[: SIZE - len(head)]


def data(index):
    made = bytearray((i * 7 + index) & 0xFF for i in range(SIZE))
    made[0:4] = index.to_bytes(4, "big")
    made[4] = 0xFF
    return bytes(made)


VALUE = text if ROW["values"] == "text" else data


def connect():
    servers = JOB["servers"]
    if JOB["module"] == "pylibmc":
        import pylibmc

        return pylibmc.Client(servers, behaviors={"ketama": True} if len(servers) > 1 else {})
    import memcache

    return memcache.Client(servers)


def check(actual, expected):
    if actual != expected:
        raise ValueError("wrong value: %.80r is not %.80r" % (actual, expected))


def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return (used.ru_utime + used.ru_stime) * 1e6


def server_cpu():
    total = 0
    for pid in JOB["pids"]:
        with open("/proc/%d/stat" % pid) as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        total += (int(fields[11]) + int(fields[12])) * 1e6 / TICK
    return total


def machine_cpu():
    with open("/proc/stat") as stat:
        return sum(int(part) for part in stat.readline().split()[1:4]) * 1e6 / TICK


def report(**figures):
    # ru_maxrss is in kilobytes on Linux.
    figures["rss"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(figures))


def prepare(client):
    if ROW["kind"] == "python":
        with open(os.path.join(HERE, "..", "items", "python-items.json")) as recorded:
            item = next(i for i in json.load(recorded)["items"] if i["name"] == ROW["item"])
        value = json.loads(item["json"])
        # Written by the library itself, compressed where the recorded item is (flag 8).
        compress = {"min_compress_len": 100} if item["flags"] & 8 else {}
        for key in KEYS:
            client.set(key, value, **compress)
        check(client.get(KEYS[0]), value)
        return
    for index, key in enumerate(KEYS):
        client.set(key, VALUE(index))
    for index in (0, 1, len(KEYS) - 1):
        check(client.get(KEYS[index]), VALUE(index))
    if ROW["kind"] == "getMulti":
        check(client.get_multi(KEYS[: ROW["batch"]]), {KEYS[i]: VALUE(i) for i in range(ROW["batch"])})


def operation(client):
    keys, count = KEYS, len(KEYS)
    get, store = client.get, client.set
    values = [VALUE(i) for i in range(16)]
    if ROW["kind"] == "set":
        return lambda number: store(keys[number % count], values[number & 15])
    if ROW["kind"] == "mixed":
        return lambda number: (
            store(keys[number % count], values[number & 15]) if number % 10 == 0 else get(keys[number % count])
        )
    if ROW["kind"] == "getMulti":
        batch = ROW["batch"]
        batches = [keys[i : i + batch] for i in range(0, count, batch)]
        return lambda number: client.get_multi(batches[number % len(batches)])
    if ROW["kind"] == "hash":
        client.behaviors = {"hash": ROW["hash"]}
        return lambda number: client.hash(keys[number % count])
    return lambda number: get(keys[number % count])


def spin(call, seconds, latencies=None):
    clock = time.perf_counter
    end = clock() + seconds
    done = 0
    while True:
        before = clock()
        if before >= end:
            return done
        call(done)
        if latencies is not None:
            latencies.append(clock() - before)
        for number in range(1, 8):
            call(done + number)
        done += 8


def cold():
    client = connect()
    client.set(KEYS[0], "cold")
    value = client.get(KEYS[0])
    report(ms=(time.perf_counter() - START) * 1e3, ops=1, cpu=cpu())
    check(value, "cold")


def ring():
    # Making the client builds the ring; nothing connects yet.
    times = []
    until = time.perf_counter() + JOB["warmup"] + JOB["seconds"]
    while time.perf_counter() < until or len(times) < 5:
        start = time.perf_counter()
        connect()
        times.append(time.perf_counter() - start)
    times.sort()
    report(ms=times[len(times) // 2] * 1e3, ops=len(times))


def steady():
    client = connect()
    if not ROW.get("offline"):
        prepare(client)
    call = operation(client)
    spin(call, JOB["warmup"])
    latencies = []
    used, server, machine, start = cpu(), server_cpu(), machine_cpu(), time.perf_counter()
    done = spin(call, JOB["seconds"], latencies)
    seconds = time.perf_counter() - start
    used, server, machine = cpu() - used, server_cpu() - server, machine_cpu() - machine
    latencies.sort()
    report(
        ops=done,
        perSecond=done / seconds,
        cpu=used / done,
        serverCpu=server / done,
        busy=used / 1e6 / seconds,
        foreign=max(0, machine - used - server) / 1e6 / seconds / os.cpu_count(),
        p50=latencies[len(latencies) // 2] * 1e3,
        p99=latencies[int(len(latencies) * 0.99)] * 1e3,
    )


{"cold": cold, "ring": ring}.get(ROW["kind"], steady)()
