/** One named switch at a time: each says so when it changes an outcome, and is silent when it is off. */
import { describe, expect, it } from 'vitest'
import { construct } from '../../src/audit/construct.js'
import { Client as CompatClient, type Divergence, type SwitchName, switches } from '../../src/compat/index.js'
import { embeddedStage } from './embedded-stage.js'
import { play } from './play.js'
import { loadRecordings, type Recording } from './recordings.js'

const recordings = new Map(
  loadRecordings('python-memcached-1.59').map((recording) => [recording.name, recording]),
)

async function announced(recording: Recording, off: readonly SwitchName[]): Promise<Divergence[]> {
  const events: Divergence[] = []
  const stage = await embeddedStage(recording)
  try {
    await play(recording, stage, {
      library: 'python-memcached',
      construct: (servers, kwargs) => {
        const { client } = construct('python-memcached', servers, kwargs, {
          compat: {
            emulate: 'python-memcached-1.59',
            switches: Object.fromEntries(off.map((name) => [name, 'pylibmc'])),
          },
        })
        if (client instanceof CompatClient) client.on('divergence', (event) => events.push(event))
        return client
      },
    })
  } finally {
    await stage.stop()
  }
  return events
}

describe.each(switches)('$name', ({ name, fixture, advice }) => {
  it('says so, with operation, both outcomes and advice, in the scenario that shows it', async () => {
    const events = (await announced(recordings.get(fixture)!, [])).filter((event) => event.switch === name)
    expect(events.length).toBeGreaterThan(0)
    for (const event of events) {
      expect(event.operation).toMatch(/^[a-z]+/)
      expect(event.compat).not.toBe('')
      expect(event.strict).not.toBe('')
      expect(event.advice).toBe(advice)
    }
  })

  it('is silent when it is off', async () => {
    const events = await announced(recordings.get(fixture)!, [name])
    expect(events.filter((event) => event.switch === name)).toEqual([])
  })
})
