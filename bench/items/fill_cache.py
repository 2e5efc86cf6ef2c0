"""Fills a cache with one library's values, for bench/tools/scan.mjs and test/integration/audit/scan.test.ts.

    python fill_cache.py KIND SERVERS PREFIX COUNT [SECONDS]      KIND: memcache, pylibmc, pymemcache; SECONDS: for every item
"""

import datetime
import decimal
import sys

KIND, SERVERS, PREFIX, COUNT = sys.argv[1], sys.argv[2].split(","), sys.argv[3], int(sys.argv[4])
TIMES = (int(sys.argv[5]),) if len(sys.argv) > 5 else (0, 50, 5000, 500000)
VALUES = [
    u"text of a page", u"\u20ac 17", 7, 12345678901, True, False, None, 1.5, {u"a": [1, 2]}, [u"x"], (1, u"y"),
    b"bytes\x00\xff", datetime.datetime(2020, 1, 2, 3, 4), decimal.Decimal("1.10"), u"z" * 700,
]  # fmt: skip

if KIND == "memcache":
    import memcache

    client = memcache.Client(SERVERS)
elif KIND == "pylibmc":
    import pylibmc

    client = pylibmc.Client(SERVERS)
else:
    from pymemcache import serde
    from pymemcache.client.hash import HashClient

    client = HashClient([(s.split(":")[0], int(s.split(":")[1])) for s in SERVERS], serde=serde.pickle_serde)
for number in range(COUNT):
    client.set("%s:%d" % (PREFIX, number), VALUES[number % len(VALUES)], TIMES[number % len(TIMES)])
