// Values beside CPython's C pickle, JSON, pickleparser and jpickle (protocol 2), in one run; ratios are to CPython. Needs a built dist/
// (npm run build), bench/node_modules (npm install in bench/), and a Python 3 (MEMSHIM_PYTHON, default python3).
//
//   node bench/values.mjs [rounds] [protocol]
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import jpickle from 'jpickle'
import { Parser } from 'pickleparser'
import { pickle, unpickle } from '../dist/values/index.js'

const rounds = Number(process.argv[2] ?? 9)
const protocol = Number(process.argv[3] ?? 4)
const PYTHON = `
protocol = ${protocol}
import base64, json, pickle, sys, time
rows = [{"id": i, "name": "user%d" % i, "email": "user%d@example.com" % i, "active": i % 2 == 0, "score": i * 1.5} for i in range(1000)]
values = {
    "1000 dicts": rows,
    "2000 short strings": ["string-%d" % i for i in range(2000)],
    "2000 ints": list(range(0, 74000, 37)),
    "2000 floats": [i * 1.1 for i in range(2000)],
    "200 strings of 100": ["x%d" % i + "y" * 96 for i in range(200)],
    "small dict": {"id": 5, "name": "Ada", "tags": ["a", "b"], "score": 1.5},
    "session": {"_auth_user_id": "17", "_auth_user_backend": "django.contrib.auth.backends.ModelBackend", "cart": [3, 5, 8], "seen": True},
}
print(json.dumps([[name, base64.b64encode(pickle.dumps(value, protocol)).decode(), base64.b64encode(pickle.dumps(value, 2)).decode()] for name, value in values.items()]), flush=True)
for line in sys.stdin:
    name, count = json.loads(line)
    value = values[name]
    data = pickle.dumps(value, protocol)
    times = []
    for work in (lambda: pickle.loads(data), lambda: pickle.dumps(value, protocol)):
        start = time.perf_counter()
        for _ in range(count):
            work()
        times.append((time.perf_counter() - start) / count * 1e6)
    print(json.dumps(times), flush=True)
`

const python = spawn(process.env.MEMSHIM_PYTHON ?? 'python3', ['-c', PYTHON], {
  stdio: ['pipe', 'pipe', 'inherit'],
})
const lines = createInterface(python.stdout)[Symbol.asyncIterator]()
const answer = async () => JSON.parse((await lines.next()).value)

/** Microseconds for one run of `work`; undefined when it cannot do it. */
function timed(work, count) {
  try {
    const start = process.hrtime.bigint()
    for (let i = 0; i < count; i++) work()
    return Number(process.hrtime.bigint() - start) / count / 1000
  } catch {
    return undefined
  }
}

const median = (times) => times.toSorted((a, b) => a - b)[times.length >> 1]
const ratio = (time, base) => (time === undefined ? '–' : (time / base).toFixed(2)).padStart(13)
const row = (title, cells) => console.log(title.padEnd(20) + cells.join(''))

const readers = ['memshim', 'JSON.parse', 'pickleparser', 'jpickle']
const writers = ['memshim', 'JSON.stringify']
const results = []
for (const [name, encoded, encoded2] of await answer()) {
  const data = Buffer.from(encoded, 'base64')
  const value = unpickle(data)
  const json = JSON.stringify(value)
  // It knows no protocol after 2.
  const binary = Buffer.from(encoded2, 'base64').toString('latin1')
  const parser = new Parser()
  const count = Math.max(10, Math.ceil(300_000 / data.length))
  const works = [
    () => unpickle(data),
    () => JSON.parse(json),
    () => parser.parse(data),
    () => jpickle.loads(binary),
    () => pickle(value, { protocol }),
    () => JSON.stringify(value),
  ]
  for (const work of works) timed(work, count * 3)
  const times = works.map(() => [])
  const loads = []
  const dumps = []
  for (let round = 0; round < rounds; round++) {
    python.stdin.write(`${JSON.stringify([name, count])}\n`)
    const [load, dump] = await answer()
    loads.push(load)
    dumps.push(dump)
    works.forEach((work, i) => {
      const time = timed(work, count)
      if (time !== undefined) times[i].push(time)
    })
  }
  const medians = times.map((all) => (all.length === 0 ? undefined : median(all)))
  results.push({ name, bytes: data.length, load: median(loads), dump: median(dumps), medians })
}
python.stdin.end()

console.log(
  `Node ${process.version}; medians of ${rounds} interleaved rounds; CPython's C pickle = 1; protocol ${protocol}\n`,
)
row(
  'reading',
  readers.map((name) => name.padStart(13)),
)
for (const { name, load, medians } of results)
  row(
    name,
    medians.slice(0, 4).map((time) => ratio(time, load)),
  )
console.log()
row(
  'writing',
  writers.map((name) => name.padStart(13).padStart(15)),
)
for (const { name, dump, medians } of results)
  row(
    name,
    medians.slice(4).map((time) => `  ${ratio(time, dump)}`),
  )
