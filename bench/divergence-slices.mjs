// One process of divergence.mjs: `node divergence-slices.mjs '<job as JSON>'` prints, as one line of JSON, for each turn the CPU
// time an operation took (µs) with each client. Job: { workload, servers, clients: [{ root, silent }], order, turns, slice, warmup };
// slice and warmup in operations, `order` is the order of making and warming up. Each client comes from modules of its own, so that
// the engine compiles them apart, and their slices alternate: what the machine does meanwhile meets all alike.
import { keys as makeKeys, material } from './harness/material.mjs'
import { open } from './harness/parties/memshim-compat.mjs'
import { open as openSilent } from './harness/parties/memshim-compat-silent.mjs'
import { balancedOrders } from './report/statistics.mjs'

const { workload, servers, clients, order, turns, slice, warmup } = JSON.parse(process.argv[2])
const keys = makeKeys(workload.keys)
const values = Array.from({ length: 16 }, (_, i) => material[workload.values](i, workload.size))
const orders = balancedOrders(clients.length)
const operations = []
for (const side of order) operations[side] = await operationOf(clients[side])
for (const side of order) await cpu(operations[side], warmup)
const measured = []
for (let turn = 0; turn < turns; turn++) {
  const costs = []
  for (const side of orders[turn % orders.length]) costs[side] = await cpu(operations[side], slice)
  measured.push(costs)
}
console.log(JSON.stringify(measured))
process.exit(0)

async function operationOf({ root, silent }) {
  const client = await (silent ? openSilent : open)({ servers, root })
  for (const [i, key] of keys.entries()) await client.set(key, values[i & 15])
  const key = (number) => keys[number % keys.length]
  if (workload.kind === 'set') return (number) => client.set(key(number), values[number & 15])
  return workload.kind === 'touch'
    ? (number) => client.touch(key(number))
    : (number) => client.get(key(number))
}

/** Microseconds of this process an operation. */
async function cpu(operation, count) {
  const start = process.cpuUsage()
  let number = 0
  const caller = async () => {
    while (number < count) await operation(number++)
  }
  await Promise.all(Array.from({ length: workload.callers }, caller))
  const { user, system } = process.cpuUsage(start)
  return (user + system) / count
}
