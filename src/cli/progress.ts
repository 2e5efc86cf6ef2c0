/** The progress of a long command, on standard error: a line that overwrites itself on a terminal, otherwise a line every ten seconds. */
import type { Progress } from '../audit/index.js'

/** Milliseconds. */
const onTerminal = 100
const elsewhere = 10_000

/** As `process.stderr`. */
interface ProgressStream {
  readonly isTTY?: boolean | undefined
  /** Width of the terminal. */
  readonly columns?: number | undefined
  write(text: string): unknown
}

export interface ProgressLine {
  show(progress: Progress): void
  clear(): void
}

/** @param now milliseconds, for tests */
export function progressLine(stream: ProgressStream, now: () => number = Date.now): ProgressLine {
  const terminal = Boolean(stream.isTTY)
  let last = terminal ? Number.NEGATIVE_INFINITY : now()
  let phase: Progress['phase'] | undefined
  let started = now()
  return {
    show(progress) {
      const time = now()
      if (progress.phase !== phase || progress.operations <= 1) {
        phase = progress.phase
        started = time
      }
      if (time - last < (terminal ? onTerminal : elsewhere)) return
      last = time
      const text = progressText(progress, (time - started) / 1000)
      stream.write(terminal ? overwriting(text, stream) : `memshim: ${text}\n`)
    },
    clear() {
      if (terminal) stream.write('\r\x1b[K')
    },
  }
}

/** The text in the place of the line before. A line that wraps could not be overwritten: it ends before the edge. */
export function overwriting(text: string, { columns = 80 }: Pick<ProgressStream, 'columns'>): string {
  return `\r\x1b[K${text.slice(0, Math.max(1, columns - 1))}`
}

/** `replaying: 120,000 operations (12 %), 4,000/s, 3:40 left` @param seconds since this phase began */
export function progressText({ phase, operations, t, share }: Progress, seconds: number): string {
  const rate = seconds > 0 ? Math.round(operations / seconds) : 0
  const parts = [
    `${operations.toLocaleString('en')} operations${share === undefined ? '' : ` (${Math.floor(share * 100)} %)`}`,
    ...(rate > 0 ? [`${rate.toLocaleString('en')}/s`] : []),
    share === undefined || share <= 0 || seconds <= 0
      ? `${t.toFixed(1)} s of the trace`
      : `${clock((seconds / share) * (1 - share))} left`,
  ]
  return `${phase === 'replay' ? 'replaying' : 'verifying'}: ${parts.join(', ')}`
}

function clock(seconds: number): string {
  const whole = Math.round(seconds)
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60]
  const two = (n: number) => String(n).padStart(2, '0')
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`
}
