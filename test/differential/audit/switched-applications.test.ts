/**
 * Applications of several styles ran on the real python-memcached 1.59 and then, unchanged, on the real pylibmc 1.6.3: the audit of the trace
 * must have predicted every call that both runs made, class and return code included. Figures: docs/audit.md.
 */
import { expect, it } from 'vitest'
import { compareSwitched, type Protocol, readSwitched } from './switched-applications.js'

const switched = readSwitched()
const runs = Object.entries(switched).flatMap(([name, application]) =>
  (['text', 'binary'] as const).map((protocol: Protocol) => ({ name, application, protocol })),
)

it.each(runs)(
  '$name over $protocol: predicted right, wrong, missed',
  { timeout: 120_000 },
  async ({ name, application, protocol }) => {
    const found = await compareSwitched(name, application, protocol)
    const { right, wrong, missed, unexplained, uncertain, afterDivergence, diverged, steps } = found
    console.info(
      `${name} ${protocol}: ${right} right, ${wrong.length} wrong, ${missed.length} missed, ${uncertain} cannot be told; ${diverged} of ${steps} steps took another way (${afterDivergence} calls after that)`,
    )
    expect({ wrong, missed, unexplained }).toEqual({ wrong: [], missed: [], unexplained: [] })
    expect(right).toBeGreaterThan(40)
  },
)
