/** Calls of Python functions from within memshim: serializers, picklers, compressors. They are synchronous, as memshim asks for them. */
import { CacheMiss } from '../../../src/strict/index.js'
import type { PythonObject } from './pipes.js'
import { readFrame, writeFrame } from './pipes.js'

/** Python raised an exception of its own; it goes back as it is. */
export class RaisedInPython extends Error {
  constructor(readonly exception: PythonObject) {
    super('raised in Python')
  }
}

/** Answers a request that Python makes from within a hook. */
type Nested = (request: unknown[]) => unknown

export class Hooks {
  constructor(
    private readonly out: number,
    private readonly back: number,
    private readonly nested: Nested,
  ) {}

  /** @throws RaisedInPython, and CacheMiss where the hook raised that */
  call(client: number, name: string, args: readonly unknown[]): unknown {
    writeFrame(this.out, ['hook', client, name, args])
    for (;;) {
      const [kind, ...rest] = readFrame(this.back) as unknown[]
      if (kind === 'return') return rest[0]
      if (kind === 'miss') throw new CacheMiss()
      if (kind === 'raise') throw new RaisedInPython(rest[0] as PythonObject)
      writeFrame(this.out, this.nested(rest))
    }
  }
}
