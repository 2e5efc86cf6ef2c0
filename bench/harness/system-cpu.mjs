// CPU time that processes, and the whole machine, have used: from /proc where there is one.
import { existsSync, readFileSync } from 'node:fs'

// USER_HZ: 100 on every Linux that Node runs on.
const TICK_MICROSECONDS = 10_000

/** Microseconds of CPU that these processes have used together; NaN where the system does not tell. */
export function serverCpu(pids) {
  if (!existsSync('/proc/self/stat')) return Number.NaN
  return pids.reduce((sum, pid) => {
    // The name, in parentheses, may hold blanks: fields are counted from behind it. utime and stime are 14th and 15th.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return sum + (Number(fields[11]) + Number(fields[12])) * TICK_MICROSECONDS
  }, 0)
}

/** Microseconds of CPU that all processes of the machine have used; NaN where the system does not tell. */
export function machineCpu() {
  if (!existsSync('/proc/stat')) return Number.NaN
  const [, user, nice, system] = readFileSync('/proc/stat', 'latin1').split('\n', 1)[0].split(/ +/)
  return (Number(user) + Number(nice) + Number(system)) * TICK_MICROSECONDS
}
