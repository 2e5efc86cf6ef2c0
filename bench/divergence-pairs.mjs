// One process of divergence.mjs: `node divergence-pairs.mjs '<job as JSON>'` prints, as one line of JSON, a pair of speeds for each
// turn. Job: { workload, servers, shipped, silent, turns, slice, warmup }; the two are roots of the package, times in seconds. Each
// client comes from modules of its own, so that the engine compiles them apart, and their slices alternate: what the machine does
// meanwhile meets both alike.
import { callers } from './load.mjs'
import { keys as makeKeys, material } from './material.mjs'
import { open } from './parties/memshim-compat.mjs'
import { open as openSilent } from './parties/memshim-compat-silent.mjs'

const { workload, servers, shipped, silent, turns, slice, warmup } = JSON.parse(process.argv[2])
const keys = makeKeys(workload.keys)
const values = Array.from({ length: 16 }, (_, i) => material[workload.values](i, workload.size))
const clients = [await openSilent({ servers, root: silent }), await open({ servers, root: shipped })]
for (const [i, key] of keys.entries()) await clients[0].set(key, values[i & 15])

const operations = clients.map((client) => {
  const key = (number) => keys[number % keys.length]
  if (workload.kind === 'set') return (number) => client.set(key(number), values[number & 15])
  return workload.kind === 'touch'
    ? (number) => client.touch(key(number))
    : (number) => client.get(key(number))
})
for (const operation of operations) await speed(operation, warmup)
const pairs = []
for (let turn = 0; turn < turns; turn++) {
  const pair = []
  for (const side of turn % 2 === 0 ? [0, 1] : [1, 0]) pair[side] = await speed(operations[side], slice)
  pairs.push(pair)
}
console.log(JSON.stringify(pairs))
process.exit(0)

/** Operations a second. */
async function speed(operation, seconds) {
  const start = performance.now()
  const load = callers(operation, workload.callers)
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
  await load.stop()
  return (load.done() * 1000) / (performance.now() - start)
}
