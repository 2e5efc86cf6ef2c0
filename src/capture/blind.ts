/** The sources of a recording's commands, and the limits of each source: for summaries, reports and docs/tools/record.md. */
export type CaptureKind = 'packets' | 'proxy' | 'watch'

const everyNetwork = [
  'calls that sent nothing: bad keys, wrong arguments, servers that a library considers dead',
  'constructor arguments, the place in the application, threads and processes of one address',
  'get_multi, set_multi and delete_multi over several servers are one command or more for each server',
  'exceptions and return values: they are derived from replies',
]

export const captureBlindness: Readonly<Record<CaptureKind, readonly string[]>> = {
  packets: [...everyNetwork, 'TLS: encrypted connections hold no readable command'],
  proxy: [...everyNetwork, 'connections that do not go through the proxy'],
  watch: [
    'values: they are replaced by text of their length (of length 0 before memcached 1.6.18, which does not tell it)',
    'flags, and with them the types of values and the libraries that wrote them',
    'touch, incr and decr: the server reports them as reads of the key',
    'deletes that found nothing; all deletes before memcached 1.6.20',
    'which client it was: only the number of its connection on the server',
    'what the server skipped because its log buffer was full',
  ],
}
