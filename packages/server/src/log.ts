export {
  assertMaxEventBytes,
  DEFAULT_MAX_EVENT_BYTES,
  fingerprint,
  type LogPoint,
  PregonError,
  type PregonEvent,
} from '@pregon/protocol';
export type * from './core/log-types.js';
export { MAX_EPHEMERAL_BYTES } from './core/ports/ephemeral.js';
export { KEPT_LIMITS } from './core/ports/kept.js';
export { decodeStored } from './logs/shared/decode-stored.js';
export { type EncodedEvent, encodeForAppend } from './logs/shared/encode.js';
export { Follower, type Step } from './logs/shared/follower.js';
export { findLimit, toFound } from './logs/shared/found.js';
export { IndexedLog } from './logs/shared/indexed/indexed-log.js';
export { KeptSet, type KeptSetOptions } from './logs/shared/indexed/kept-set.js';
export { eventKey, newEvents } from './logs/shared/indexed/new-events.js';
export { assertRoom, KeptFollowers, stateAt, toKeptValue } from './logs/shared/kept-values.js';
export { KeptView, PendingChanges } from './logs/shared/kept-view.js';
export { type Range, toRange } from './logs/shared/range.js';
export { assertRetention, BackgroundTrim, DEFAULT_RETENTION } from './logs/shared/retention.js';
export { isSameEvent, ReusedId } from './logs/shared/same-event.js';
export { toUnavailable } from './logs/shared/unavailable.js';
