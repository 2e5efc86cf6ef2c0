// The whole walk in one command, on two embedded servers: from everything emulated to strict, while a Python service on
// python-memcached uses the same cache.
//
//   npm run build && node examples/shared-cache/story.mjs [python]
//
// `python` is an interpreter that has python-memcached (default: MEMSHIM_PYTHON_MEMCACHED_159, else python3).
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Client as CompatClient, DivergenceLog, switchNames } from '../../dist/compat/index.js'
import { MigratingClient, oldSide } from '../../dist/migration/index.js'
import { startServer } from '../../dist/server/index.js'
import { Client as StrictClient } from '../../dist/strict/index.js'
import { price } from './service.mjs'

const interpreter = process.argv[2] ?? process.env.MEMSHIM_PYTHON_MEMCACHED_159 ?? 'python3'
const emulate = 'python-memcached-1.59'
const servers = [await startServer(), await startServer()]
const addresses = servers.map(({ address }) => address)
const say = (text) => console.log(text)
// Ports vary from run to run.
const masked = (text) => text.replace(/:\d+$/, ':…')

const script = fileURLToPath(new URL('service.py', import.meta.url))
const child = spawn(interpreter, [script, ...addresses], { stdio: ['pipe', 'pipe', 'inherit'] })
const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
async function python(command) {
  child.stdin.write(`${command}\n`)
  const { value, done } = await lines.next()
  if (done) throw new Error(`${interpreter} has no python-memcached, or cannot run service.py`)
  return JSON.parse(value)
}

try {
  say('1. Everything emulated: the Node service shares the cache of the Python service.')
  const log = new DivergenceLog({ sampleEvery: 1 })
  const compat = new CompatClient(addresses, { emulate })
  log.attach(compat)
  await python('price lamp')
  const { cents } = await price(compat, 'lamp')
  await price(compat, 'chair')
  say(
    `   lamp costs ${cents}, read from Python's pickle; Python reads Node's chair: ${(await python('price chair')).cents}`,
  )
  say(`   misses counted by both: ${await python('misses')}`)

  say('2. What would change with pylibmc, by switch:')
  await compat.incr('no-such-counter')
  await compat.delete('no-such-key')
  compat.disconnectAll()
  for (const { switch: name, operation, count, example } of log.counts())
    say(`   ${name}, ${operation} (${count}): ${masked(example.compat)} / ${masked(example.strict)}`)

  say('3. One switch after another to pylibmc; where keys are stays for the end.')
  const staying = ['hashing', 'failover', 'probe-limit']
  const off = switchNames.filter((name) => !staying.includes(name))
  const almost = new CompatClient(addresses, {
    emulate,
    switches: Object.fromEntries(off.map((name) => [name, 'pylibmc'])),
  })
  say(
    `   ${off.length} of ${switchNames.length} switches off; chair still costs ${(await price(almost, 'chair')).cents}`,
  )
  const refused = await almost.incr('no-such-counter').catch((error) => error.name)
  say(`   counting a missing key: ${refused}`)
  almost.disconnectAll()

  say('4. The keys move to pylibmc’s placement.')
  const mc = new MigratingClient({
    old: oldSide(addresses, { emulate }),
    new: new StrictClient(addresses, { behaviors: { cas: true } }),
  })
  for (const phase of ['dual-write', 'new-first', 'new']) {
    await mc.setPhase(phase)
    for (const product of ['lamp', 'chair', 'table', 'shelf', 'desk']) await price(mc, product)
    const { hitsOld, hitsNew, copied } = mc.counts
    say(`   ${phase}: hits in the old placement ${hitsOld}, in the new one ${hitsNew}, copied ${copied}`)
    // From here on the Python service would run on pylibmc.
    if (phase === 'dual-write') say(`   the Python service reads on: ${(await python('price table')).cents}`)
  }
  mc.disconnectAll()

  say('5. Strict.')
  const strict = new StrictClient(addresses)
  say(`   lamp costs ${(await price(strict, 'lamp')).cents}`)
  strict.disconnectAll()
} finally {
  child.stdin.end()
  await Promise.all(servers.map((server) => server.stop()))
}
