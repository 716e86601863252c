/** The types of the log port, exported by both `pregon` and `pregon/log`. */
export type { Ephemeral, EphemeralMember } from './ports/ephemeral.js';
export type { KeepOptions, Kept, KeptChanges, KeptListener, KeptState, KeptValue } from './ports/kept.js';
export type { AppendOptions, Log, LogOptions } from './ports/log.js';
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
} from './ports/log-driver.js';
export type {
  LogEntry,
  LogFollower,
  Page,
  Presence,
  ReadPage,
  ReadRequest,
  StopFollowing,
} from './ports/log-entry.js';
export type { LogInfo, LogMark, Retention, TrimResult } from './ports/retention.js';
export type { EventAttributes, FindRequest, Found, StoredEntry } from './ports/stored-entry.js';
export type { QueueName, StopConsuming, WorkQueues } from './ports/work-queue.js';
