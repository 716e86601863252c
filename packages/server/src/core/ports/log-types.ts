/** The types of the log port, exported by both `pregon` and `pregon/log`. */
export type { Ephemeral, EphemeralMember } from './ephemeral.js';
export type { KeepOptions, Kept, KeptState, KeptValue } from './kept.js';
export type { AppendOptions, Log, LogOptions } from './log.js';
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
} from './log-driver.js';
export type {
  LogEntry,
  LogFollower,
  Page,
  Presence,
  ReadPage,
  ReadRequest,
  StopFollowing,
} from './log-entry.js';
export type { LogInfo, LogMark, Retention, TrimResult } from './retention.js';
export type { EventAttributes, FindRequest, Found, StoredEntry } from './stored-entry.js';
export type { QueueName, StopConsuming, WorkQueues } from './work-queue.js';
