export {
  assertMaxEventBytes,
  DEFAULT_MAX_EVENT_BYTES,
  fingerprint,
  type LogPoint,
  PregonError,
  type PregonEvent,
} from '@pregon/protocol';
export { type Ephemeral, type EphemeralMember, MAX_EPHEMERAL_BYTES } from './core/ports/ephemeral.js';
export { KEPT_LIMITS, type KeepOptions, type Kept, type KeptState, type KeptValue } from './core/ports/kept.js';
export type { AppendOptions, Log, LogOptions } from './core/ports/log.js';
export type {
  BusItem,
  BusPlan,
  EmbeddedDatabase,
  LogAdmin,
  LogBus,
  LogCapabilities,
  LogDriver,
  LogState,
  MaintainedLog,
  OpenLogOptions,
} from './core/ports/log-driver.js';
export type {
  LogEntry,
  LogFollower,
  Page,
  Presence,
  ReadPage,
  ReadRequest,
  StopFollowing,
} from './core/ports/log-entry.js';
export type { LogInfo, LogMark, Retention, TrimResult } from './core/ports/retention.js';
export type { EventAttributes, FindRequest, Found, StoredEntry } from './core/ports/stored-entry.js';
export type { QueueName, StopConsuming, WorkQueues } from './core/ports/work-queue.js';
export { decodeStored } from './logs/shared/decode-stored.js';
export { type EncodedEvent, encodeForAppend } from './logs/shared/encode.js';
export { Follower, type Step } from './logs/shared/follower.js';
export { findLimit, toFound } from './logs/shared/found.js';
export { IndexedLog } from './logs/shared/indexed/indexed-log.js';
export { KeptSet, type KeptSetOptions } from './logs/shared/indexed/kept-set.js';
export { eventKey, newEvents } from './logs/shared/indexed/new-events.js';
export { assertRoom, KeptFollowers, stateAt, toKeptValue } from './logs/shared/kept-values.js';
export { type Range, toRange } from './logs/shared/range.js';
export { assertRetention, BackgroundTrim, DEFAULT_RETENTION } from './logs/shared/retention.js';
export { isSameEvent, ReusedId } from './logs/shared/same-event.js';
export { toUnavailable } from './logs/shared/unavailable.js';
