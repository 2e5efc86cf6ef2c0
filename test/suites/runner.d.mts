/** Types of runner.mjs. */
export interface Suite {
  readonly name: string
}

export interface SuiteFigures {
  readonly suite: string
  readonly tests: number
  readonly real: number
  readonly memshim: number
  readonly calls: number
  readonly differing: readonly {
    readonly test: string
    readonly real: string
    readonly memshim: string
    readonly why?: string
  }[]
}

export const suites: readonly Suite[]

export class Unavailable extends Error {}

export function runSuite(
  suite: Suite,
  settings: { readonly python: string; readonly memcached: string; readonly gitDirectory?: string },
): Promise<SuiteFigures>
