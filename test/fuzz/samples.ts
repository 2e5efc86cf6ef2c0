/** What mutations start from: recordings, vectors and traces of the fixtures, and the kept inputs that once found a fault. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

const root = process.cwd()
const fixtures = join(root, 'fixtures')
const json = (...path: string[]) => JSON.parse(readFileSync(join(fixtures, ...path), 'utf8'))

interface Conversation {
  readonly exchanges: readonly {
    readonly send?: unknown
    readonly replies?: readonly { readonly receive?: unknown }[]
  }[]
}

function exchanges(binary: boolean): readonly { send: Buffer; receive: Buffer }[] {
  return readdirSync(join(fixtures, 'conversations'))
    .filter((name) => name.startsWith('binary') === binary)
    .flatMap((name) => json('conversations', name).conversations as Conversation[])
    .flatMap(({ exchanges }) => exchanges)
    .flatMap(({ send, replies = [] }) =>
      replies.flatMap(({ receive }) =>
        typeof send === 'string' && typeof receive === 'string'
          ? [{ send: Buffer.from(send, 'latin1'), receive: Buffer.from(receive, 'latin1') }]
          : [],
      ),
    )
    .filter(({ send, receive }) => send.length + receive.length < 20_000)
}

function pickles(): Buffer[] {
  const { values, objects } = json('vectors', 'pickle.json') as Record<string, { pickles: string[] }[]>
  return [...values!, ...objects!].flatMap((row) => row.pickles.map((text) => Buffer.from(text, 'base64')))
}

function traceLines(): Buffer[] {
  return readdirSync(join(fixtures, 'traces'))
    .filter((name) => name.endsWith('.gz'))
    .flatMap((name) =>
      gunzipSync(readFileSync(join(fixtures, 'traces', name)))
        .toString('utf8')
        .split('\n')
        .slice(0, 400),
    )
    .map((line) => Buffer.from(line))
}

function scenarios(): Buffer[] {
  return readdirSync(join(fixtures, 'scenarios'))
    .flatMap((topic) => readdirSync(join(fixtures, 'scenarios', topic)).map((name) => join(topic, name)))
    .filter((_, index) => index % 5 === 0)
    .map((name) => readFileSync(join(fixtures, 'scenarios', name)))
    .filter((bytes) => bytes.length < 10_000)
}

/** Captures as tcpdump wrote them, the first packets of each. */
function captures(): Buffer[] {
  return readdirSync(join(fixtures, 'captures'))
    .filter((name) => name.endsWith('.pcap.gz'))
    .map((name) => gunzipSync(readFileSync(join(fixtures, 'captures', name))).subarray(0, 6000))
}

/** test/fuzz/corpus.json: by target, base64. */
export function kept(target: string): Buffer[] {
  const corpus = JSON.parse(readFileSync(join(root, 'test', 'fuzz', 'corpus.json'), 'utf8')) as Record<
    string,
    string[]
  >
  return (corpus[target] ?? []).map((text) => Buffer.from(text, 'base64'))
}

const lazy = <T>(make: () => T) => {
  let made: T | undefined
  return () => (made ??= make())
}
export const samples = {
  text: lazy(() => exchanges(false)),
  binary: lazy(() => exchanges(true)),
  pickles: lazy(pickles),
  traceLines: lazy(traceLines),
  scenarios: lazy(scenarios),
  captures: lazy(captures),
}
