export { CLOSE_CODES, type CloseCode, type CloseName, mayReconnect } from './close-codes.js';
export {
  DEFAULT_MAX_FRAME_BYTES,
  decodeClientFrame,
  decodeGatewayFrame,
  encodeFrame,
  isEvent,
  MAX_PATTERNS,
  peekId,
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
export * from './frames.js';
export { decodePosition, encodePosition, fingerprint, type LogPoint } from './position.js';
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
