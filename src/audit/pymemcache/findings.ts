/**
 * The report's texts for each difference to pymemcache, with the rows of the table that cause it. Source:
 * docs/reference/pymemcache.md.
 */
import { cell, type Fact, switchesByName } from '../../rules/index.js'
import type { DifferingRow } from '../columns.js'
import type { SwitchInfo } from '../compare/divergence.js'
import type { Library } from '../methods/python-signatures.js'

interface FindingText extends Pick<SwitchInfo, 'name' | 'title' | 'leaves' | 'advice'> {
  readonly pymemcache: string
  readonly before: string
  /** Advice for an application that leaves pymemcache. */
  readonly back: string
  /** Rows of the table in which the libraries may differ. */
  readonly rows: readonly Fact[]
}

const snippets = {
  client:
    "pymemcache.Client('host:11211', default_noreply=False, timeout=3, connect_timeout=3, serde=pymemcache.serde.pickle_serde)",
  hash: "pymemcache.HashClient(['a:11211', 'b:11211'], default_noreply=False, timeout=3, connect_timeout=3, use_pooling=True, serde=pymemcache.serde.pickle_serde)",
}

const texts: readonly FindingText[] = [
  {
    name: 'constructor',
    title: 'The constructor takes one server, and other keywords',
    before: 'takes a list of servers, and debug, cache_cas, socket_timeout, dead_retry, behaviors and others',
    pymemcache: 'raises TypeError for these keywords, and ValueError for a list (3.5.2: at the first call)',
    advice: `For one server: ${snippets.client}. For several: ${snippets.hash}. Without timeout= and connect_timeout= a call waits without a limit for a server that does not answer. Client and HashClient have no lock: threads that share one read each other's answers (AttributeError: 'NoneType' object has no attribute 'recv'); use_pooling=True and PooledClient give each call a connection of its own.`,
    back: "One client takes a list of servers: memcache.Client(['a:11211', 'b:11211'], socket_timeout=3), pylibmc.Client(['a:11211', 'b:11211'], behaviors={'connect_timeout': 3000, 'cas': True}). Neither has a serde, a key prefix or pools; a client of pylibmc belongs to one thread (pylibmc.ThreadMappedPool).",
    rows: ['hasKeyEncoder', 'hasCompressor'],
  },
  {
    name: 'missing-method',
    title: 'Method does not exist in pymemcache',
    before: 'has the method',
    pymemcache: 'raises AttributeError',
    advice:
      'Remove the call. get_stats is client.stats() of a Client; HashClient has none, and no set_servers: use add_server and remove_server.',
    back: 'get_many, set_many and delete_many are get_multi, set_multi and delete_multi; stats() is get_stats(), close() is disconnect_all(). version, raw_command, cache_memlimit and gets_many have no counterpart.',
    rows: ['hasResetCas', 'hasGetSlabStats', 'hasQuitAll', 'hasStatsArgument'],
  },
  {
    name: 'missing-argument',
    title: 'Argument does not exist in pymemcache',
    before: 'accepts the argument',
    pymemcache:
      'raises TypeError: there is no key_prefix and no min_compress_len in a call, and no time in a delete',
    advice:
      'Add the prefix to the keys: client.get_many([prefix + key for key in keys]); compression is serde=pymemcache.serde.compressed_serde (4.0).',
    back: 'Remove noreply, flags and cas_default. python-memcached has a default for get from 1.60 on.',
    rows: ['hasNoreply'],
  },
  {
    name: 'calling-form',
    title: 'Arguments have other names and places in pymemcache',
    before: 'calls them val, time, mapping and delta (default 1), and takes min_compress_len fourth',
    pymemcache:
      'calls them value, expire, values; incr and decr need their value; the fourth of set and the second of delete is noreply',
    advice:
      'client.set(key, value, expire=60), client.incr(key, 1), client.set_many({...}, expire=60), client.delete(key).',
    back: 'client.set(key, val, time=60), client.incr(key, 1), client.set_multi({...}, time=60), client.delete(key).',
    rows: ['deleteTakesNoreply', 'deleteTime'],
  },
  {
    name: 'pymemcache-positions',
    title: 'Positional arguments have another meaning in pymemcache',
    before:
      'the second of delete and delete_multi is the time, the third of set_multi the prefix, the fourth of set min_compress_len',
    pymemcache:
      'the second of delete and delete_multi and the third of set_multi is noreply; the fourth of set is noreply, the fifth flags',
    advice: 'client.delete(key), client.set_many(values, expire=60), client.set(key, value, expire=60).',
    leaves: 'items',
    back: 'client.delete(key), client.set_multi(values, time=60), client.set(key, value, time=60): in both libraries the fourth of set is min_compress_len.',
    rows: ['deleteTakesNoreply', 'deleteTime'],
  },
  {
    name: 'argument-type',
    title: 'An argument has a type or range that only one library accepts',
    before: 'converts the argument, or iterates it',
    pymemcache:
      'raises MemcacheIllegalInputError for times and deltas that are not an int, TypeError for keys that are neither text nor bytes, KeyError for a generator in get_many; a bool as time is refused by the server',
    advice: 'Convert it before the call: int(expire), str(key), list(keys).',
    back: 'Convert it before the call: int(time), list(keys).',
    rows: ['times', 'deltas', 'timedelta', 'multiTuples', 'setMulti'],
  },
  {
    name: 'gets-and-cas',
    title: 'gets returns a pair, and cas takes the CAS unique as third argument',
    before: 'keeps the CAS unique, or takes it as an integer',
    pymemcache:
      'gets returns (value, unique as bytes), (None, None) for a miss; cas(key, value, cas, expire=0) is None when the key is missing',
    advice: 'value, unique = client.gets(key); client.cas(key, value, unique).',
    back: "python-memcached: client.gets(key) is only the value, and client.cas(key, value) uses the unique that it kept (cache_cas=True). pylibmc: (value, unique) with an integer, and behaviors={'cas': True}.",
    rows: ['casIds', 'casWithoutUnique'],
  },
  {
    name: 'pymemcache-serde',
    title: 'Values are stored and read by the serde',
    before: 'stores every type with flags, and reads it as that type',
    pymemcache:
      "without a serde everything is stored as str(value) and read as bytes (True is b'True', None is b'None'); pickle_serde reads text, integers and pickles, and compressed items of other libraries only as bytes",
    advice:
      'serde=pymemcache.serde.pickle_serde, or compressed_serde (4.0), which reads values that python-memcached and pylibmc compressed.',
    leaves: 'items',
    back: 'Without a serde the application decodes bytes itself: remove that, because values are read with the types that were stored. Items that pymemcache wrote without a serde are read as text or bytes.',
    rows: ['encoding', 'text', 'booleans', 'readsFlag16', 'undecodablePickle', 'unknownFlags'],
  },
  {
    name: 'pymemcache-text',
    title: 'Text that is not ASCII is refused without a serde',
    before: 'stores it as UTF-8',
    pymemcache: 'raises MemcacheIllegalInputError',
    advice: "serde=pymemcache.serde.pickle_serde (or encoding='utf-8').",
    back: 'No change is needed: text of any script is stored as UTF-8.',
    rows: ['text'],
  },
  {
    name: 'pymemcache-noreply',
    title: 'default_noreply=True hides refusals of the server',
    before: 'waits for the reply, and reports that the item was not stored or not found',
    pymemcache:
      'set, add, replace, delete and touch return True without waiting, also if the server refuses the command',
    advice:
      'default_noreply=False, or noreply=False in calls whose result matters: client.add(key, value, noreply=False).',
    back: 'The results become those of the server: False or 0 if nothing was stored or deleted; pylibmc raises for failures.',
    rows: ['results', 'missingDelete'],
  },
  {
    name: 'pymemcache-oversize',
    title: 'Values over the limit raise, or delete the old value',
    before: 'does not send the value and returns 0 (python-memcached), or raises TooBig (pylibmc)',
    pymemcache:
      'raises MemcacheServerError; with noreply it returns True. The old value is gone in both cases',
    advice:
      'Check the length before the call, use serde=pymemcache.serde.compressed_serde (4.0), or catch pymemcache.exceptions.MemcacheServerError around set.',
    leaves: 'items',
    back: 'Check the length before the call: python-memcached returns 0 and keeps the old value, pylibmc raises TooBig.',
    rows: ['oversize', 'oversizeInSetMulti'],
  },
  {
    name: 'pymemcache-keys',
    title: 'Keys have other rules',
    before: 'python-memcached raises MemcachedKeyError; text of any script is UTF-8',
    pymemcache:
      'raises MemcacheIllegalInputError for text that is not ASCII, blanks, NUL and more than 250 bytes, and sends the empty key; other control characters pass',
    advice: 'allow_unicode_keys=True for text; catch pymemcache.exceptions.MemcacheIllegalInputError.',
    back: 'python-memcached raises MemcachedKeyError subclasses for blanks, control characters and lengths; pylibmc over the text protocol sends blanks and control characters unchecked.',
    rows: ['keyCheck', 'spaceKeys', 'newlineKeys', 'multiTuples'],
  },
  {
    name: 'pymemcache-unread',
    title: 'The next call reads an answer for which no call waited',
    before: 'reads the answer of each call',
    pymemcache: 'the next call that waits raises MemcacheUnknownCommandError, and the connection is closed',
    advice: 'default_noreply=False, and no empty keys and no bool for expire.',
    back: 'No change is needed: every answer is read by the call that it belongs to.',
    rows: ['getsOutOfStep'],
  },
  {
    name: 'pymemcache-counters',
    title: 'incr and decr of an item that is not a number raise MemcacheClientError',
    before: 'python-memcached raises ValueError, or counts if the server accepts the item',
    pymemcache: 'raises MemcacheClientError; negative and too large deltas too',
    advice:
      'except pymemcache.exceptions.MemcacheClientError; client.decr(key, 1) in place of a negative delta.',
    back: 'python-memcached raises ValueError, pylibmc ClientError.',
    rows: ['counterErrors', 'deltas', 'missingCounter'],
  },
  {
    name: 'pymemcache-failures',
    title: 'Failures raise exceptions, and HashClient returns defaults for a second',
    before: 'python-memcached returns None and 0 and uses the next server; pylibmc raises its own classes',
    pymemcache:
      'raises ConnectionRefusedError, TimeoutError, MemcacheUnexpectedCloseError and others. HashClient then returns defaults for retry_timeout seconds, and removes the server after retry_attempts',
    advice:
      'ignore_exc=True hides failures: all of them in HashClient, whose gets then returns None instead of a pair, and errors of reading in Client. A HashClient does not use the next server before retry_attempts have failed. Give timeout= and connect_timeout=: there is no default.',
    leaves: 'items',
    back: 'python-memcached returns None and 0 and uses the next server, without any error; pylibmc raises its own classes (pylibmc.Error is their base class).',
    rows: ['failures', 'deadServers', 'retry', 'failedGet'],
  },
  {
    name: 'failover',
    title: 'python-memcached uses the next server',
    before:
      'python-memcached leaves a dead server out for dead_retry seconds (30) and uses the next one; with no server left it returns None and 0',
    pymemcache:
      'tries again: Client every time, HashClient after retry_timeout seconds; HashClient leaves the server out for dead_timeout seconds (60) after retry_attempts',
    advice:
      'Choose retry_attempts, retry_timeout and dead_timeout of HashClient; while a server is down, each library stores items where the other one does not find them.',
    leaves: 'items',
    back: 'python-memcached tries a dead server again after dead_retry seconds; pylibmc after retry_timeout or dead_timeout.',
    rows: ['deadServers', 'retry'],
  },
  {
    name: 'pymemcache-delete',
    title: 'delete of a missing key is False when the call waits',
    before: 'python-memcached returns 1 up to 1.61',
    pymemcache: 'returns False with noreply=False',
    advice: 'Do not use the result of delete.',
    back: 'Do not use the result of delete.',
    rows: ['missingDelete', 'missingDeleteMulti'],
  },
  {
    name: 'pymemcache-results',
    title: 'Results have other types',
    before: 'python-memcached returns 1 and 0',
    pymemcache:
      'returns True, False and None; a missing counter is None where pylibmc raises NotFound; flush_all of HashClient returns None',
    advice: 'Test the truth of the result and not its type.',
    leaves: 'nothing',
    back: 'Test the truth of the result and not its type; pylibmc raises NotFound for a missing counter.',
    rows: ['results', 'missingCounter', 'missingDelete'],
  },
  {
    name: 'hashing',
    title: 'Keys are placed on other servers',
    before: 'python-memcached and pylibmc take hash modulo the number of servers, or a continuum',
    pymemcache:
      'HashClient uses rendezvous hashing over the names host:port: nearly every key moves, and there are no weights',
    advice:
      'Plan for an empty cache, or warm both (memshim plan). Use the same names of servers in every process.',
    back: 'Plan for an empty cache, or warm both (memshim plan). Weights become possible.',
    rows: ['hash'],
  },
]

/** Names of explanations that only audits with pymemcache have. */
export const pymemcacheFindings: readonly SwitchInfo[] = texts.map((text) => ({
  name: text.name,
  title: text.title,
  pythonMemcached: text.before,
  pylibmc: text.pymemcache,
  advice: text.advice,
  leaves: text.leaves,
  docs: `${Object.hasOwn(switchesByName, text.name) ? 'switches' : 'audit'}.md#${text.name}`,
}))

/** The same, with the rows in which the two libraries differ, and the advice for an application that leaves the source. */
export function findingsBetween(source: Library, target: Library): readonly SwitchInfo[] {
  const leaves = source.name === 'pymemcache' && target.name !== 'pymemcache'
  return pymemcacheFindings.map((info, i) => ({
    ...info,
    ...(leaves
      ? {
          title: info.title.replace('in pymemcache', `in ${target.name}`),
          pythonMemcached: texts[i]!.pymemcache,
          pylibmc: texts[i]!.before,
          advice: texts[i]!.back,
        }
      : {}),
    rows: texts[i]!.rows.flatMap((fact): DifferingRow[] => {
      const before = cell(fact, source.name, source.version)
      const after = cell(fact, target.name, target.version)
      return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ fact, before, after }]
    }),
  }))
}
