/** Starts a memcached binary on a free port of 127.0.0.1. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface MemcachedOptions {
  /** Further memcached arguments, e.g. `['-M', '-m', '8']`. */
  readonly args?: readonly string[] | undefined
  /** Further environment variables. */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** Default -1: a free one. */
  readonly port?: number | undefined
}

export interface MemcachedProcess {
  readonly child: ChildProcess
  readonly port: number
}

const children = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

/** Path of the `memcached` on PATH, or undefined. */
export function memcachedOnPath(): string | undefined {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, 'memcached')
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {}
  }
  return undefined
}

/** The version that a binary reports, e.g. `1.6.18`. @throws Error when it does not run or is not a memcached */
export function versionOfBinary(binary: string): string {
  return versionIn(execFileSync(binary, ['-V'], { encoding: 'latin1', stdio: ['ignore', 'pipe', 'ignore'] }))
}

/** @throws Error when the text has no version */
export function versionIn(text: string): string {
  const version = /\d+\.\d+\.\d+/.exec(text)?.[0]
  if (version === undefined) throw new Error(`memcached tells no version: ${text}`)
  return version
}

/** @throws Error when the process ends, or does not listen within 10 seconds */
export async function spawnMemcached(
  binary: string,
  { args = [], env, port = -1 }: MemcachedOptions,
): Promise<MemcachedProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'memshim-memcached-'))
  const portFile = join(folder, 'ports')
  const user = process.getuid?.() === 0 ? ['-u', 'root'] : []
  const child = spawn(binary, ['-l', '127.0.0.1', '-p', String(port), '-U', '0', ...user, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // memcached writes its port to this file when it listens; with `-p -1` it chooses a free one.
    env: { ...process.env, ...env, MEMCACHED_PORT_FILENAME: portFile },
  })
  let complaint = ''
  child.stderr.on('data', (chunk) => {
    complaint += chunk
  })
  children.add(child)
  try {
    for (let waited = 0; waited < 10_000; waited += 5) {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`${binary} ended: ${complaint}`)
      const bound = boundPort(portFile)
      if (bound !== undefined) return { child, port: bound }
      await sleep(5)
    }
    child.kill('SIGKILL')
    throw new Error(`${binary} did not listen within 10 s: ${complaint}`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Resolves when the process is gone. */
export async function endMemcached(child: ChildProcess): Promise<void> {
  children.delete(child)
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

function boundPort(file: string): number | undefined {
  try {
    const match = /TCP INET: (\d+)/.exec(readFileSync(file, 'utf8'))
    return match ? Number(match[1]) : undefined
  } catch {
    return undefined
  }
}
