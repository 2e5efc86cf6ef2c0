/** One task of the load: its own keys, one operation after another, every answer checked. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Disturbance, KeyModel, valueOf } from './checker.js'
import { clock } from './clock.js'
import type { SoakServer } from './fleet.js'
import { type Party, type Trouble, timeout } from './parties.js'
import type { Random } from './random.js'
import type { Record } from './record.js'

const keysOfTask = 12

/** Milliseconds of the process's own time beyond the deadline that a call may take. */
const late = 8000
/** Milliseconds of own time after the last fault of a server until its operations must succeed: deadline, retry wait, and a busy machine. */
const recovery = 12_000

export async function load(
  party: Party,
  task: number,
  servers: readonly SoakServer[],
  random: Random,
  end: number,
  record: Record,
  keys: Map<string, KeyModel>,
): Promise<void> {
  const serversOf = (key: string) => {
    const index = party.server(key)
    return index === undefined ? servers : [servers[index]!]
  }
  const disturbance = party.trouble && disturbanceOf(party.trouble, servers)
  const name = party.name.replace(/[^a-z0-9]+/g, '-')
  const models = Array.from({ length: keysOfTask }, (_, i) => {
    const key = `${name}:${task}:${i}`
    const model = new KeyModel(key, serversOf(key), disturbance, party.copies)
    keys.set(key, model)
    return model
  })
  const counter = new Counter(`${name}:${task}:counter`, serversOf(`${name}:${task}:counter`), !party.trouble)

  while (performance.now() < end) {
    const model = random.of(models)
    const choice = random.next()
    const operation =
      choice < 0.4
        ? 'get'
        : choice < 0.5
          ? 'getMulti'
          : choice < 0.8
            ? 'set'
            : choice < 0.9
              ? 'delete'
              : 'incr'
    const touched =
      operation === 'getMulti' ? servers : operation === 'incr' ? counter.servers : serversOf(model.key)
    const started = clock.now()
    try {
      await step(operation, party, model, models, counter)
      record.done(party.name, operation)
    } catch (error) {
      if (error instanceof Violation) record.violation(party.name, error.message)
      else record.failed(party.name, error)
      const since = Math.max(...touched.map((server) => server.quietSince))
      if (!(error instanceof Violation) && started - since > recovery)
        record.violation(
          party.name,
          `${operation} fails ${Math.round(started - since)} ms after the last fault: ${String(error)}`,
        )
      await sleep(2)
    }
    party.trouble?.look()
    const took = clock.now() - started
    if (took > timeout + late) record.violation(party.name, `${operation} took ${Math.round(took)} ms`)
  }
}

/** Milliseconds of own time after which a client has noticed that a fault is over. */
const settled = 4000

function disturbanceOf(trouble: Trouble, servers: readonly SoakServer[]): Disturbance {
  return {
    get count() {
      return servers.reduce((sum, server) => sum + server.changes, trouble.count)
    },
    get calm() {
      const last = Math.max(trouble.last, ...servers.map((server) => server.quietSince))
      return clock.now() - last > settled
    },
  }
}

class Violation extends Error {}

function check(run: () => void): void {
  try {
    run()
  } catch (error) {
    throw new Violation((error as Error).message)
  }
}

async function step(
  operation: string,
  party: Party,
  model: KeyModel,
  models: readonly KeyModel[],
  counter: Counter,
): Promise<void> {
  const begun = performance.now()
  switch (operation) {
    case 'get': {
      const value = await party.get(model.key)
      check(() => model.read(value, begun))
      return
    }
    case 'getMulti': {
      // A server that fails leaves its keys out, so that only what came is checked.
      const found = await party.getMulti(models.map(({ key }) => key))
      for (const one of models) {
        const value = found.get(one.key)
        if (value !== undefined) check(() => one.read(value, begun))
      }
      return
    }
    case 'set': {
      const number = model.begin()
      try {
        const outcome = await party.set(model.key, valueOf(model.key, number))
        if (outcome === 'done') model.acknowledged()
        else model.unanswered()
      } catch (error) {
        model.unanswered()
        throw error
      }
      return
    }
    case 'delete': {
      model.beginDeletion()
      try {
        if ((await party.delete(model.key)) === 'done') model.acknowledged()
        else model.unanswered()
      } catch (error) {
        model.unanswered()
        throw error
      }
      return
    }
    case 'incr':
      await counter.step(party)
  }
}

/** A counter may only be where its acknowledged increments and those without an answer allow it to be. */
class Counter {
  private least = 0
  private most = 0
  private lives = -1

  constructor(
    private readonly key: string,
    readonly servers: readonly SoakServer[],
    private readonly checked: boolean,
  ) {}

  async step(party: Party): Promise<void> {
    const lives = this.livesNow()
    if (lives !== this.lives) {
      // Nothing is known of a counter whose server has died.
      this.lives = lives
      this.most = Number.POSITIVE_INFINITY
      this.least = 0
    }
    let value: number | undefined
    try {
      value = await party.incr(this.key)
    } catch (error) {
      this.most++
      throw error
    }
    if (value === undefined) {
      if (this.checked && this.least > 0 && this.livesNow() === lives)
        throw new Violation(`${this.key}: at least ${this.least}, and it is gone, and its server lived`)
      if ((await party.set(this.key, '0')) === 'done' && this.livesNow() === lives) this.most = this.least = 0
      else this.most = Number.POSITIVE_INFINITY
      return
    }
    if (this.checked && this.livesNow() === lives && (value <= this.least || value > this.most + 1))
      throw new Violation(`${this.key}: ${value}, expected from ${this.least + 1} to ${this.most + 1}`)
    this.least = value
    // Increments without an answer may still come.
    this.most = Math.max(this.most + 1, value)
  }

  private livesNow(): number {
    return this.servers.reduce((sum, server) => sum + server.lives, 0)
  }
}
