/** Which calls depend on memcached's version. Expectations: fixtures/recordings, removal/delete-time and times/touch-wrap. */
import { expect, test } from 'vitest'
import type { AuditedOperation } from '../compare/differ.js'
import type { TraceHeader } from '../traces/trace.js'
import { serverVersion, versionNote } from './server-version.js'

const header = (version: string, more = {}) =>
  ({ format: 'memshim-trace/1', library: 'python-memcached', version, servers: 1, ...more }) as TraceHeader
const operation = (call: string, args: unknown[], kwargs = {}) =>
  ({ call, args, kwargs }) as unknown as AuditedOperation

test.each([
  ['1.59', operation('delete', ['k', 5]), /up to 1\.6\.39 refuses it/],
  ['1.59', operation('delete', ['k'], { time: 5 }), /up to 1\.6\.39 refuses it/],
  ['1.62', operation('delete_multi', [['k'], 5]), /up to 1\.6\.39 refuses it/],
  ['1.62', operation('delete', ['k', 1]), undefined],
  ['1.59', operation('delete', ['k', 0]), undefined],
  ['1.59', operation('delete', ['k']), undefined],
  ['1.59', operation('touch', ['k', { $int: '18446744073709551716' }]), /up to 1\.6\.44/],
  ['1.59', operation('touch', ['k', 4294967296]), /up to 1\.6\.44/],
  ['1.59', operation('touch', ['k', 100]), undefined],
  ['1.59', operation('set', ['k', 4294967296]), undefined],
])('%s, %o', (version, call, said) => {
  const note = versionNote(call, header(version), '1.6.45')
  if (said === undefined) expect(note).toBeUndefined()
  else expect(note).toMatch(said)
})

test('the version is the one asked for, else that of the trace, else the newest', () => {
  const traced = header('1.59', { server_version: '1.6.18' })
  expect(serverVersion('1.5.22', traced)).toBe('1.5.22')
  expect(serverVersion(undefined, traced)).toBe('1.6.18')
  expect(serverVersion(undefined, header('1.59'))).toBe('1.6.45')
  expect(() => serverVersion('newest', traced)).toThrow('serverVersion: version is newest')
})
