// Runs the parties of each row in interleaved rounds, each measurement in a process of its own.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { pinning, startServers } from './servers.mjs'

const here = import.meta.dirname
// Loading, preparing (a slow client stores 1000 items one Nagle delay at a time) and finishing, beside the timed seconds.
const SLACK_SECONDS = 40
const ATTEMPTS = 2
// Share of all cores.
const DISTURBED = 0.15

/**
 * @param plan `{ workloads, parties, rounds, warmup, seconds, memcached, node, progress }`; times in seconds
 * @returns per row `{ workload, cells: [{ party, runs, error? }] }`
 */
export async function runRounds(plan) {
  const rows = []
  for (const workload of plan.workloads) {
    const able = plan.parties.filter((party) => party.can(workload))
    if (able.length === 0) continue
    const cells = able.map((party) => ({ party, runs: [], error: undefined }))
    const fleet = workload.offline
      ? { servers: imaginary(workload.servers ?? 1), pids: [], stop: () => {} }
      : await startServers(plan.memcached, workload.servers)
    try {
      for (let round = 0; round < plan.rounds; round++) {
        for (let turn = 0; turn < cells.length; turn++) {
          // Rotated, so that no party always follows the same one.
          const cell = cells[(turn + round) % cells.length]
          if (cell.error) continue
          plan.progress(`${workload.name} · round ${round + 1}/${plan.rounds} · ${cell.party.name}`)
          try {
            cell.runs.push(await leastDisturbed(() => measure(cell.party, workload, fleet, plan)))
          } catch (error) {
            cell.error = error.message
          }
        }
      }
    } finally {
      fleet.stop()
    }
    rows.push({ workload, cells })
    plan.finished(rows.at(-1))
  }
  return rows
}

/** On a machine that others use too: again while they took much of it, and the attempt with the least of that. */
async function leastDisturbed(attempt) {
  let best = await attempt()
  for (let left = ATTEMPTS - 1; left > 0 && best.foreign > DISTURBED; left--) {
    const next = await attempt()
    if (next.foreign < best.foreign) best = next
  }
  return best
}

// Not the default port: libmemcached leaves that out of the names it hashes, hashring does not.
const imaginary = (count) => Array.from({ length: count }, (_, i) => `10.0.${i >> 8}.${i & 255}:11212`)

function measure(party, workload, fleet, { node, warmup: least, seconds }) {
  const warmup = Math.max(least, workload.warmup ?? 0)
  const job = {
    module: party.module,
    root: party.root,
    protocol: party.protocol,
    workload,
    servers: fleet.servers,
    pids: fleet.pids,
    warmup,
    seconds,
  }
  const program =
    party.kind === 'python'
      ? [party.python, join(here, 'measure.py')]
      : [node, '--no-deprecation', join(here, 'measure.mjs')]
  const [command, ...args] = [...pinning.client, ...program, JSON.stringify(job)]
  const began = performance.now()
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const out = []
    const err = []
    child.stdout.on('data', (chunk) => out.push(chunk))
    child.stderr.on('data', (chunk) => err.push(chunk))
    const limit = setTimeout(() => child.kill('SIGKILL'), (warmup + seconds + SLACK_SECONDS) * 1000)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(limit)
      if (code === 0) return resolve(JSON.parse(Buffer.concat(out).toString().trim().split('\n').at(-1)))
      const said = Buffer.concat(err).toString()
      const line = /^\w*(?:Error|Exception|error)\b.*$/m.exec(said)?.[0] ?? said.trim().split('\n').at(-1)
      reject(
        new Error(
          signal
            ? `ended by ${signal} after ${Math.round((performance.now() - began) / 1000)} s`
            : line || `ended with ${code}`,
        ),
      )
    })
  })
}
