/** The built command: help pages, completion, options from a file, listings, and what is said to bad input. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EmbeddedServer } from '../../src/server/index.js'
import { Client } from '../../src/strict/index.js'

const command = join(import.meta.dirname, '..', '..', 'dist', 'cli', 'main.js')
const folder = mkdtempSync(join(tmpdir(), 'memshim-cli-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Ran {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

function memshim(args: readonly string[], { input = '', env = {} as NodeJS.ProcessEnv } = {}): Ran {
  return spawnSync(process.execPath, [command, ...args], {
    encoding: 'utf8',
    cwd: folder,
    input,
    env: { ...process.env, MEMSHIM_CONFIG: '', ...env },
  })
}

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

const commands = [...memshim(['--help']).stdout.matchAll(/^ {2}([a-z]+) (?:\[options\]|<)/gm)].map(
  ([, name]) => name!,
)

const oneItem = 'key=user%3A1 exp=-1 la=1700000000 cas=1 fetch=no cls=1 size=70 flags=16\r\nEND\r\n'

describe('help', { timeout: 120_000 }, () => {
  it('every command is listed', () => {
    expect(commands).toEqual(
      expect.arrayContaining(['record', 'scan', 'doctor', 'audit', 'plan', 'where', 'inspect', 'completion']),
    )
  })

  it.each(commands)('%s has a page with examples and exit codes', (name) => {
    const { status, stdout } = memshim([name, '--help'])
    expect(status).toBe(0)
    expect(stdout).toMatch(/Examples:\n {2}\$ (?:memshim|source|tcpdump)/)
    expect(stdout).toMatch(/Exit codes: 0 /)
    if (name !== 'completion') expect(stdout).toContain('--json')
  })
})

describe('completion', { timeout: 60_000 }, () => {
  it('bash completes commands, options and files', () => {
    const script = memshim(['completion', 'bash']).stdout
    const completed = (words: readonly string[]) => {
      const line = `COMP_WORDS=(memshim ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _memshim; printf '%s\\n' "\${COMPREPLY[@]}"`
      return spawnSync('bash', ['-c', `${script}\n${line}`], { encoding: 'utf8', cwd: folder }).stdout.split(
        '\n',
      )
    }
    expect(completed(['sc'])).toContain('scan')
    expect(completed(['scan', '--ra'])).toContain('--rate')
    file('listing-here', '')
    expect(completed(['scan', 'listing-h'])).toContain('listing-here')
  })

  it.each(['zsh', 'fish'])('%s has every command and option', (shell) => {
    const { stdout } = memshim(['completion', shell])
    for (const name of commands) expect(stdout).toContain(name)
    expect(stdout).toContain(shell === 'fish' ? '-l max-values' : '--max-values')
    const checked = spawnSync(shell, ['-n', file(`completion.${shell}`, stdout)], { encoding: 'utf8' })
    // Where the shell is installed.
    if (checked.error === undefined) expect(checked.stderr).toBe('')
  })

  it('refuses a shell that it does not know', () => {
    expect(memshim(['completion', 'tcsh'])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('choose one of bash, zsh, fish'),
    })
  })
})

describe('options from a file', { timeout: 60_000 }, () => {
  const where = (env: NodeJS.ProcessEnv, ...args: string[]) => memshim([...args], { env })

  it('are taken, and what is typed counts more', () => {
    const path = file('config.json', JSON.stringify({ servers: ['a:1', 'b:2'], where: { json: true } }))
    const named = where({}, '--config', path, 'where', 'k')
    expect(JSON.parse(named.stdout).servers).toEqual(['a:1', 'b:2'])
    expect(JSON.parse(where({ MEMSHIM_CONFIG: path }, 'where', 'k').stdout).servers).toEqual(['a:1', 'b:2'])
    const typed = where({}, '--config', path, 'where', 'k', '--servers', 'c:3')
    expect(JSON.parse(typed.stdout).servers).toEqual(['c:3'])
    expect(where({ MEMSHIM_CONFIG: path }, '--no-config', 'where', 'k').status).toBe(2)
  })

  it('that no command has, that are of another type, or that no file has, are errors', () => {
    const said = (content: string, ...args: string[]) => {
      const { status, stderr } = where({}, '--config', file('bad.json', content), ...args)
      return [status, stderr]
    }
    expect(said('{"severs": []}', 'where', 'k')).toEqual([2, expect.stringContaining('"severs"')])
    expect(said('{"scan": {"speed": 1}}', 'where', 'k')).toEqual([
      2,
      expect.stringContaining('it has servers, rate'),
    ])
    expect(said('{"where": {"json": "yes"}}', 'where', 'k')).toEqual([
      2,
      expect.stringContaining('neither true nor false'),
    ])
    expect(said('[1]', 'where', 'k')).toEqual([2, expect.stringContaining('is not a JSON object')])
    expect(said('{', 'where', 'k')).toEqual([2, expect.stringContaining('is not JSON')])
    expect(where({}, '--config', join(folder, 'none.json'), 'where', 'k').stderr).toContain('ENOENT')
  })

  it('the servers of all commands are not those that an audit empties', () => {
    const path = file('servers.json', JSON.stringify({ servers: ['a:1'] }))
    expect(where({}, '--config', path, 'audit', 'none.jsonl').stderr).toContain('there is no such file')
  })
})

const listing = [
  'OK',
  'key=user%3A1 exp=-1 la=1795000000 cas=1 fetch=no cls=1 size=70 flags=16 ',
  'key=page%20%C3%A4 exp=1795009999 la=1795000000 cas=2 fetch=yes cls=1 size=80 flags=0 ',
  'END',
  '',
].join('\r\n')

describe('listings', { timeout: 60_000 }, () => {
  let server: EmbeddedServer
  beforeAll(async () => {
    server = await new EmbeddedServer().start()
    const client = new Client([server.address])
    await client.setMulti({ 'user:1': 'Ada', 'user:2': 17 })
    client.disconnectAll()
  })
  afterAll(() => server.stop())

  /** With a server in this process the command must not hold the process up. */
  async function beside(...args: string[]): Promise<Ran> {
    const { spawn } = await import('node:child_process')
    const child = spawn(process.execPath, [command, ...args], { cwd: folder })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (text) => {
      stdout += text
    })
    child.stderr.on('data', (text) => {
      stderr += text
    })
    const status = await new Promise<number | null>((resolve) => child.on('close', resolve))
    return { status, stdout, stderr }
  }

  it.each(['listing.txt', 'listing.gz', 'without-ending'])(
    '%s is read by where, scan and plan alike',
    (name) => {
      const path = file(name, name === 'listing.txt' ? listing : gzipSync(listing))
      const { stdout } = memshim(['where', '--keys', path, '--servers', 'a:1,b:2', '--json'])
      expect(JSON.parse(stdout).keys.map(({ key }: { key: string }) => key)).toEqual(['user:1', 'page ä'])
      expect(JSON.parse(memshim(['scan', path, '--json']).stdout).items).toBe(2)
      const trace = file(
        'plan.jsonl',
        `${[
          {
            format: 'memshim-trace/1',
            library: 'python-memcached',
            version: '1.59',
            servers: 2,
            epoch: 1_795_000_000,
          },
          { t: 0, client: 'c', new: { servers: ['a:1', 'b:2'], kwargs: {} } },
          { t: 1, client: 'c', call: 'get', args: ['user:1'] },
          { t: 600, client: 'c', call: 'get', args: ['user:1'] },
        ]
          .map((line) => JSON.stringify(line))
          .join('\n')}\n`,
      )
      const planned = memshim(['plan', trace, '--scan', path, '--json', '--way', 'big-bang'])
      expect(planned.stderr).toBe('')
      expect(JSON.parse(planned.stdout).ways[0].hitRatio).toBeGreaterThan(0)
    },
  )

  it('inspect shows many keys, says which have no item, and gives data', async () => {
    const { status, stdout } = await beside('inspect', 'user:1', 'none', 'user:2', '--server', server.address)
    expect(stdout).toMatch(/^user:1\n {2}flags {8}16 \(text\)[\s\S]*\nnone\n {2}there is no item\nuser:2\n/)
    expect(status).toBe(1)
    const path = file('keys.gz', gzipSync(listing))
    const json = await beside('inspect', '--keys', path, '--server', server.address, '--json')
    expect(JSON.parse(json.stdout)).toMatchObject([
      { key: 'user:1', found: true, flags: 16, flagNames: ['text'], bytes: 3, value: "'Ada'" },
      { key: 'page ä', found: false },
    ])
  })

  it('what is not a listing is an error that names the file', () => {
    const trace = file('any.jsonl', '{}')
    expect(memshim(['scan', file('html', '<html>')])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('html'),
    })
    expect(memshim(['where', '--keys', file('empty', ''), '--servers', 'a:1']).stderr).toContain(
      'holds no key',
    )
    expect(memshim(['where', '--keys', 'absent', '--servers', 'a:1']).stderr).toContain(
      'absent: cannot be read: there is no such file or folder (ENOENT)',
    )
    expect(memshim(['plan', trace, '--scan', 'absent']).status).toBe(2)
    const damaged = gzipSync(listing)
    damaged.fill(0xff, 12, 30)
    expect(memshim(['where', '--keys', file('damaged.gz', damaged), '--servers', 'a:1'])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('damaged.gz: cannot be read'),
    })
  })
})

describe('bad input', { timeout: 300_000 }, () => {
  it('refuses a sample that is not a part of the keys, and names what is needed', () => {
    const capture = join(import.meta.dirname, '..', '..', 'fixtures', 'captures', 'index.json')
    for (const sample of ['5', '0', '-1', 'x', ''])
      expect(memshim(['record', capture, '--out', 'o.jsonl', '--sample', sample])).toMatchObject({
        status: 2,
        stderr: expect.stringContaining('above 0 and up to 1'),
      })
  })

  it('a report that cannot be written, and a wrong number, are said before the trace is read', () => {
    for (const [option, value, said] of [
      ['--json', join(folder, 'absent', 'r.json'), 'ENOENT'],
      ['--html', folder, 'it is a folder'],
      ['--examples', 'x', 'a number from 0 is needed'],
    ] as const) {
      const { status, stderr } = memshim(['audit', 'no-such-trace.jsonl', option, value])
      expect([status, stderr]).toEqual([2, expect.stringContaining(said)])
    }
  })

  it('options that would do nothing, and lists that name nothing, are errors', () => {
    const trace = join(import.meta.dirname, '..', '..', 'fixtures', 'traces', 'django-4.0-cache.jsonl.gz')
    const listing = file('listing.metadump', oneItem)
    for (const [args, said] of [
      [['audit', trace, '--threads', '3'], '--threads 3 is neither'],
      [['audit', trace, '--reduce', 'keys', '--html', 'r.html'], '--html'],
      [['audit', trace, '--to', 'all', '--sarif', 'r.sarif'], '--sarif'],
      [['audit', trace, '--all-rows'], '--all-rows needs --rows'],
      [['audit', trace, '--out', 'folder'], 'add --reduce'],
      [['audit', trace, '--flush'], '--flush is about --servers'],
      [['audit', trace, '--fail-on', ''], "'--fail-on <what>' argument '' is invalid"],
      [['plan', trace, '--way', ','], "'--way <names>' argument ',' is invalid"],
      [['plan', trace, '--begin', '100000'], '--begin 100000 is after the end of the trace'],
      [['scan'], 'one of the two'],
      [['audit', trace, '--to', 'all', '--fail-on', 'any'], '--fail-on is about the report of one audit'],
      [
        ['audit', trace, '--reduce', 'keys', '--fail-on', 'any'],
        '--fail-on is about the report of one audit',
      ],
      [['audit', trace, '--reduce', 'keys', '--verify'], '--verify is about a report'],
      [['scan', listing, '--rate', '5'], '--rate is about servers, and listings are given'],
      [['scan', listing, '--no-get'], '--no-get is about servers'],
      [['inspect', 'k', '--flags', '3'], '--flags is about the bytes in --file'],
      [['inspect', '--file', listing, '--server', 'a'], '--server is about keys'],
      [['record', listing, '--out', 'o.jsonl', '--tls'], '--tls is about connections to servers'],
      [['record', '--watch', 'a', '--out', 'o.jsonl', '--port', '1'], '--port is about captures'],
      [['doctor', '--servers', 'a', '--one-application'], '--one-application is about --trace'],
      [['plan', trace, '--servers', 'a b'], '--servers "a b": a server has no blanks'],
      [
        ['audit', trace, '--json', 'a.out', '--html', './a.out'],
        '--html ./a.out: this file is already that of --json',
      ],
      [
        ['audit', trace, '--markdown', '-', '--junit', '-'],
        '--junit -: this file is already that of --markdown',
      ],
      [['audit', trace, '--html', trace], 'this file is a trace of this audit'],
      [['audit', '/dev/null'], '/dev/null: is empty'],
      [['audit', '-'], 'is a pipe, and a trace is read more than once'],
    ] as const) {
      const { status, stdout, stderr } = memshim(args)
      expect([args, status, stdout, stderr]).toEqual([args, 2, '', expect.stringContaining(said)])
    }
  })

  it('rows of an audit that fails take no place of earlier ones, and nothing is left half written', () => {
    const trace = join(import.meta.dirname, '..', '..', 'fixtures', 'traces', 'django-4.0-cache.jsonl.gz')
    const earlier = file('rows.jsonl', 'earlier\n')
    expect(memshim(['audit', trace, '--rows', earlier, '--threads', '3']).status).toBe(2)
    expect(readFileSync(earlier, 'utf8')).toBe('earlier\n')
    expect(memshim(['audit', trace, '--rows', earlier, '--quiet']).status).toBe(0)
    expect(readFileSync(earlier, 'utf8')).toMatch(/^\{"line"/)
    expect(readdirSync(folder).filter((name) => name.endsWith('.partial'))).toEqual([])
  })

  it('--to all and --reduce have JSON', () => {
    const trace = file(
      'counter.jsonl',
      [
        { format: 'memshim-trace/1', library: 'python-memcached', version: '1.59', servers: 1 },
        { t: 0, client: 'c', new: { servers: ['a:11211'], kwargs: {} } },
        { t: 1, client: 'c', call: 'get', args: ['k'] },
        { t: 2, client: 'c', call: 'incr', args: ['k'] },
      ]
        .map((line) => `${JSON.stringify(line)}\n`)
        .join(''),
    )
    const all = memshim(['audit', trace, '--to', 'all', '--json', '-'])
    expect(JSON.parse(all.stdout)).toContainEqual(
      expect.objectContaining({ to: 'pymemcache-4.0.0', totals: expect.anything() }),
    )
    const out = join(folder, 'reduced')
    const reduced = memshim(['audit', trace, '--reduce', 'missing-counter', '--out', out, '--json', '-'])
    expect(JSON.parse(reduced.stdout)).toMatchObject({ finding: 'missing-counter', lines: 2, before: 3 })
    expect(readdirSync(out)).toContain('repro.py')
  })

  it('options of a file of options that do not concern a call are for other calls', () => {
    const listing = file('saved.metadump', oneItem)
    const trace = join(import.meta.dirname, '..', '..', 'fixtures', 'traces', 'django-4.0-cache.jsonl.gz')
    const settings = { servers: ['127.0.0.1:1'], scan: { rate: 5 }, audit: { 'fail-on': 'any', quiet: true } }
    const config = file('options.json', JSON.stringify(settings))
    const scanned = memshim(['--config', config, 'scan', listing])
    expect([scanned.status, scanned.stdout]).toEqual([0, expect.stringContaining('1 items')])
    const out = join(folder, 'reduced-with-options')
    expect(
      memshim(['--config', config, 'audit', trace, '--reduce', 'missing-counter', '--out', out]).status,
    ).toBe(0)
    expect(memshim(['--config', config, 'audit', trace]).status).toBe(1)
  })

  it('a report on standard output takes the place of the text', () => {
    const trace = join(import.meta.dirname, '..', '..', 'fixtures', 'traces', 'django-4.0-cache.jsonl.gz')
    const { status, stdout } = memshim(['audit', trace, '--sarif', '-'])
    expect([status, JSON.parse(stdout).version]).toEqual([0, '2.1.0'])
  })

  it('a capture that does not exist is an error that names it, also behind one that exists', () => {
    const links = join(import.meta.dirname, '..', '..', 'fixtures', 'captures', 'links')
    for (const [index, before] of [[], [join(links, 'tcpdump-vlan.cap.gz')]].entries()) {
      const out = join(folder, `absent-${index}.jsonl`)
      const { status, stderr } = memshim(['record', ...before, 'absent.pcap', '--out', out])
      expect([status, stderr]).toEqual([
        2,
        'memshim: absent.pcap cannot be read: there is no such file or folder (ENOENT)\n',
      ])
    }
  })

  it('a file without an end, in the place of a small one, is an error that names the limit', () => {
    const trace = join(import.meta.dirname, '..', '..', 'fixtures', 'traces', 'django-4.0-cache.jsonl.gz')
    for (const args of [
      ['--config', '/dev/zero', 'where', 'k', '--servers', 'a'],
      ['record', '-', '--hash-keys', '/dev/zero', '--out', join(folder, 'endless.jsonl')],
      ['doctor', '--servers', '127.0.0.1:1', '--tls-ca', '/dev/zero'],
      ['plan', '/dev/zero'],
      ['plan', trace, '--scan', '/dev/zero'],
    ]) {
      const { status, stderr } = memshim(args)
      expect([args.join(' '), status, stderr]).toEqual([
        args.join(' '),
        2,
        expect.stringMatching(/\/dev\/zero.* (?:is longer than|more than) \d+|no line/),
      ])
    }
  })

  it('a folder in the place of a capture is an error that names it', () => {
    const { status, stderr } = memshim(['record', folder, '--out', 'folder.jsonl'])
    expect([status, stderr]).toEqual([2, `memshim: ${folder} cannot be read: it is a folder (EISDIR)\n`])
  })

  it('a port that there is none of, and a key that is too long, are errors', () => {
    const record = memshim([
      'record',
      '--listen',
      '127.0.0.1:99999',
      '--upstream',
      '127.0.0.1:1',
      '--out',
      'p.jsonl',
    ])
    expect([record.status, record.stderr]).toEqual([
      2,
      expect.stringContaining('--listen 127.0.0.1:99999: a port is'),
    ])
    for (const args of [
      ['where', 'k', '--servers', 'a:99999'],
      ['scan', '--servers', 'a:99999'],
      ['doctor', '--servers', 'a:99999'],
      ['inspect', 'k', '--server', '[::1]:99999'],
    ])
      expect(memshim(args).stderr).toContain('99999: a port is a number up to 65535')
    const inspect = memshim(['inspect', 'k'.repeat(300), '--server', '127.0.0.1:1'])
    expect([inspect.status, inspect.stderr]).toEqual([2, 'memshim: key length 300 too long, max is 250\n'])
  })

  it('what is not a capture is an error, and no trace is left', () => {
    const { status, stderr } = memshim(['record', file('text.pcap', 'no capture'), '--out', 'left.jsonl'])
    expect([status, stderr]).toEqual([2, expect.stringContaining('text.pcap')])
    expect(() => readFileSync(join(folder, 'left.jsonl'))).toThrow('ENOENT')
  })
})
