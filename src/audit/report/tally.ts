/** The counters of the four kinds of operations. */

export interface Counts {
  operations: number
  same: number
  announced: number
  differs: number
  unexplained: number
}

export const zeroCounts = (): Counts => ({ operations: 0, same: 0, announced: 0, differs: 0, unexplained: 0 })
