export { CLOSE_CODES, type CloseCode, type CloseName, mayReconnect } from './close-codes.js';
export {
  DEFAULT_FRAME_SHAPE,
  DEFAULT_MAX_FRAME_BYTES,
  decodeClientFrame,
  decodeGatewayFrame,
  encodeFrame,
  idOfFrame,
  isEvent,
  MAX_PATTERNS,
  parseClientFrame,
  peekId,
  readClientFrame,
} from './codec.js';
export { ERROR_CODES, type ErrorCode, isErrorCode, PregonError } from './errors.js';
export {
  assertEvent,
  createEvent,
  DEFAULT_MAX_EVENT_BYTES,
  decodeSequence,
  encodeSequence,
  type NewEvent,
  type PregonEvent,
} from './event.js';
export { assertEventLimits, assertMaxEventBytes, EVENT_LIMITS } from './event-limits.js';
export * from './frames.js';
export { elementsOf, splitMember, withoutBlanks } from './json-scan.js';
export { assertJsonShape, type JsonShape } from './json-shape.js';
export { JsonText, parseExactly, parseMembersExactly, stringifyExactly } from './json-text.js';
export {
  assertPosition,
  blockOfPosition,
  decodePosition,
  encodePosition,
  fingerprint,
  type LogPoint,
  POSITION_LENGTH,
  positionOfBlock,
} from './position.js';
export {
  DEFAULT_MAX_TOKEN_LIFETIME_MS,
  endOfRevocation,
  type RecordOptions,
  type RevocationLog,
  recordRevocation,
} from './revocations/record-revocation.js';
export { assertNotReserved, RESERVED_EXCHANGE } from './revocations/reserved-exchange.js';
export {
  type BlockTarget,
  isRevocationKey,
  joinRevocations,
  parseRevocation,
  type Revocation,
  type RevocationTarget,
  type RevokedSubject,
  revocationKey,
  revocationKeysOf,
  toBlock,
  toRevocation,
  toUnblock,
} from './revocations/revocation.js';
export { topicWord } from './topic-word.js';
export {
  assertPattern,
  assertTopic,
  canonicalPatterns,
  isPattern,
  isTopic,
  MAX_TOPIC_BYTES,
  matchesTopic,
  patternsOverlap,
} from './topics.js';
export { messageOf, toError } from './unknown-error.js';
