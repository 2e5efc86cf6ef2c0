/** Door of the protocol room: text protocol requests and replies, no I/O. */
export { pylibmcDialect, pythonMemcachedDialect } from './dialects.js'
export {
  DEFAULT_LIMITS,
  lineReply,
  type ParserLimits,
  ReplyParser,
  type ReplySource,
  UnintelligibleReply,
} from './parser.js'
export * as requests from './requests.js'
export type * from './wire.js'
