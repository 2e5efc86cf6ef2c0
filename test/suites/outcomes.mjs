// What a suite's output says of each test: pytest's `-rA` lines, and unittest's verbose lines.

/** By test `ok` or `failed`; skipped tests are left out. */
export function outcomesIn(text) {
  const found = new Map()
  let test
  for (const line of text.split('\n').map((one) => one.trimEnd())) {
    const pytest = /^(PASSED|FAILED|ERROR) (\S+::.+?)(?: - .*)?$/.exec(line)
    if (pytest) {
      found.set(pytest[2], pytest[1] === 'PASSED' ? 'ok' : 'failed')
      continue
    }
    const named = /^(test\w+) \(([\w.]+)\)/.exec(line)
    if (named) test = named[2].endsWith(`.${named[1]}`) ? named[2] : `${named[2]}.${named[1]}`
    const ended = /\.\.\. (ok|FAIL|ERROR|skipped|expected failure)/.exec(line)
    if (ended && test && ended[1] !== 'skipped' && !found.has(test))
      found.set(test, ['ok', 'expected failure'].includes(ended[1]) ? 'ok' : 'failed')
  }
  return found
}

const inside = (what) => `the test ${what}, which no other implementation has`
const negative =
  "a negative time: memshim's default follows pylibmc's documentation, and with negativeTimeout: 'send' the test passes"

/** Known reasons for another outcome than with the real library, by the end of the test's name. */
const reasons = [
  [/TestMemcache::test_set_multi_dead_servers$/, inside('calls _Host.mark_dead')],
  [/TestMemcache::test_touch(_unexpected_reply)?$/, inside('replaces _Host.send_cmd and _Host.readline')],
  [/test_Memcached_Set_Multi::test_Socket_Disconnect$/, inside('replaces socket.socket inside the module')],
  [/PyLibMCCacheTests\.test_zero_timeout$/, negative],
  [/\.test_actual_expiry(_async)?$/, negative],
]

/** Figures of one suite, and the tests with another outcome than with the real library. */
export function figures(name, real, memshim) {
  const passed = (outcomes) => [...outcomes.values()].filter((outcome) => outcome === 'ok').length
  const differing = [...new Set([...real.keys(), ...memshim.keys()])]
    .filter((test) => real.get(test) !== memshim.get(test))
    .map((test) => {
      const [, why] = reasons.find(([end]) => end.test(test)) ?? []
      const outcome = { test, real: real.get(test) ?? 'missing', memshim: memshim.get(test) ?? 'missing' }
      return why ? { ...outcome, why } : outcome
    })
  return { suite: name, tests: real.size, real: passed(real), memshim: passed(memshim), differing }
}
