/**
 * Django applications were switched by the backend in their settings, and ran on the real python-memcached 1.59, pylibmc 1.6.3 and pymemcache 4.0.0:
 * the audit's framework view must name exactly the steps that gave the application another answer. Figures: docs/audit.md.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { frameworkView } from '../../../src/audit/frameworks/index.js'
import { audit, readTrace } from '../../../src/audit/index.js'
import { fixtures } from '../support/recordings.js'

interface Switched {
  readonly steps: number
  readonly changed: Readonly<
    Record<string, Readonly<Record<string, readonly [before: string, after: string]>>>
  >
}

const switched: Readonly<Record<string, Switched>> = JSON.parse(
  readFileSync(join(fixtures, 'vectors', 'switched-backends.json'), 'utf8'),
)

it('docs/audit.md has these figures', () => {
  const all = Object.values(switched)
  const sum = (backend: string) =>
    all.reduce((total, { changed }) => total + Object.keys(changed[backend]!).length, 0)
  const steps = all.reduce((total, one) => total + one.steps, 0)
  const text = readFileSync(join(fixtures, '..', 'docs', 'audit.md'), 'utf8').replace(/\s+/g, ' ')
  const sentence = `Of ${steps} steps, ${sum('PyLibMCCache')} gave another answer with PyLibMCCache and ${sum('PyMemcacheCache')} with PyMemcacheCache`
  expect(text.includes(sentence), sentence).toBe(true)
})

const targets = { PyLibMCCache: 'pylibmc', PyMemcacheCache: 'pymemcache' } as const

it.each(
  Object.entries(switched).flatMap(([name, { steps, changed }]) =>
    Object.entries(changed).map(([backend, answers]) => ({
      name,
      backend: backend as keyof typeof targets,
      steps,
      answers,
    })),
  ),
)('$name on $backend', async ({ name, backend, steps, answers }) => {
  const trace = await readTrace(join(fixtures, 'applications', 'switched', `${name}.jsonl.gz`))
  const view = frameworkView(trace.header, undefined, targets[backend])!
  const reached = new Set<string>()
  const report = await audit(trace, {
    to: `django-4.0:${backend}`,
    onOperation(operation, verdict) {
      const differs = verdict.status === 'differs' || verdict.status === 'unexplained'
      if ((differs && view.judge(operation, verdict) !== 'absorbed') || view.readsNone(operation))
        reached.add(operation.at!)
    },
  })
  expect(report.unexplained).toEqual([])
  const named = [...reached].sort()
  expect(named).toEqual(Object.keys(answers).sort())
  expect(named.length).toBeLessThan(steps)
})
