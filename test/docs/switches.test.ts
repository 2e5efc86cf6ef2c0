/** docs/switches.md is the table of switches, word for word. `npx vitest run test/docs -u` writes it anew. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { presets, switches } from '../../src/compat/index.js'

const root = join(import.meta.dirname, '..', '..')

function document(): string {
  const rows = switches.map(({ name, title }) => `| [\`${name}\`](#${name}) | ${title} |`)
  const sections = switches.map((entry) => {
    const { name, title, pythonMemcached, pylibmc, safe, preset, since, reference, fixture, silent, advice } =
      entry
    const rows = [
      ['python-memcached', pythonMemcached],
      ['pylibmc', pylibmc],
      ...(safe ? [['safe', safe]] : []),
    ]
    return `## ${name}

**${title}.**

| setting | behaviour |
| --- | --- |
${rows.map(([setting, what]) => `| \`${setting}\` | ${what} |`).join('\n')}

In python-memcached ${since}. Seen in ${seenIn(fixture)}; reference: ${linked(reference)}.${preset ? ` Every preset of a version sets it to \`${preset}\`.` : ''}${silent ? ` It announces no divergence: ${silent}.` : ''}

Advice: ${advice}
`
  })
  return `# Switches

Every behaviour of python-memcached that pylibmc does not have has its own switch in \`memshim/compat\`. This page is generated
from the table in src/rules.

\`\`\`ts
new Client(servers, { emulate: 'python-memcached-1.59', switches: { errors: 'pylibmc' } })
\`\`\`

Presets: ${Object.keys(presets)
    .map((name) => `\`${name}\``)
    .join(
      ', ',
    )}. A preset of a version has every switch on, except those that mix up replies; the preset with \`-safe\` sets every
switch that has the setting \`safe\` to \`safe\`: these behaviours are plain mistakes. \`pylibmc\` has every switch off.

| switch | |
| --- | --- |
${rows.join('\n')}

${sections.join('\n')}`
}

function linked(anchors: readonly string[]): string {
  return anchors
    .map((anchor) => `[${anchor.replace('-', ' ')}](reference/python-memcached.md#${anchor})`)
    .join(', ')
}

function seenIn(fixture: string): string {
  return fixture.startsWith('test/')
    ? `\`${fixture}\``
    : `\`fixtures/scenarios/${fixture}.json\` and its recordings`
}

it('docs/switches.md says what the table of switches says', async () => {
  await expect(document()).toMatchFileSnapshot(join(root, 'docs', 'switches.md'))
})

it.each(switches.map(({ name, fixture }) => [name, fixture]))(
  '%s points to a scenario or test that exists',
  (_name, fixture) => {
    const path = fixture.startsWith('test/') ? fixture : `fixtures/scenarios/${fixture}.json`
    expect(existsSync(join(root, path))).toBe(true)
  },
)
