/** docs/switches.md is the table of switches, word for word. `npx vitest run test/docs -u` writes it anew. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { presets, switches } from '../../src/compat/index.js'

const root = join(import.meta.dirname, '..', '..')

function document(): string {
  const rows = switches.map(({ name, title }) => `| [\`${name}\`](#${name}) | ${title} |`)
  const sections = switches.map(
    ({ name, title, pythonMemcached, pylibmc, since, spec, fixture, advice }) => `## ${name}

**${title}.**

| setting | what happens |
| --- | --- |
| \`python-memcached\` | ${pythonMemcached} |
| \`pylibmc\` | ${pylibmc} |

In python-memcached ${since}. Seen in \`fixtures/scenarios/${fixture}.json\` and its recordings; specification ${spec}.

To live without it: ${advice}
`,
  )
  return `# Switches

Every behaviour of python-memcached that pylibmc does not have is a switch of its own in \`memshim/compat\`. This page is made
from the table in src/compat/switches.ts.

\`\`\`ts
new Client(servers, { emulate: 'python-memcached-1.59', switches: { errors: 'pylibmc' } })
\`\`\`

Presets: ${Object.keys(presets)
    .map((name) => `\`${name}\``)
    .join(', ')}. A preset of python-memcached has every switch on, \`pylibmc\` has every switch off.

| switch | |
| --- | --- |
${rows.join('\n')}

${sections.join('\n')}`
}

it('docs/switches.md says what the table of switches says', async () => {
  await expect(document()).toMatchFileSnapshot(join(root, 'docs', 'switches.md'))
})

it.each(switches.map(({ name, fixture }) => [name, fixture]))(
  '%s points to a scenario that exists',
  (_name, fixture) => {
    expect(existsSync(join(root, 'fixtures', 'scenarios', `${fixture}.json`))).toBe(true)
  },
)
