import type { PregonEvent } from '@pregon/protocol';
import type { Random } from '../../random.js';
import type { Beginning } from '../journal.js';
import type { FollowerReport } from '../settings.js';

/** One subscription of a client, whatever the transport. */
export interface Follower {
  report(): FollowerReport;
  /** Takes it from the gateway, for good. */
  close(): void;
  /** Its journal is written. @param early before the end of the run */
  written(early: boolean): Promise<void>;
}

/** What can be made to read slowly. */
export interface Pausable {
  pause(): void;
  resume(): void;
}

export interface FollowerOptions {
  readonly name: string;
  readonly path: string;
  readonly topics: readonly string[];
  /** A position, or `first`. */
  readonly since: string;
  readonly beginning: Beginning;
}

/** What followers are given. */
export interface Surroundings {
  readonly folder: string;
  readonly random: Random;
  /** The URL of some gateway, another one each time. */
  url(scheme: 'ws' | 'http', path: string): URL;
  /** Told of events of which others may begin. */
  seen(event: PregonEvent): void;
}

/** How long a new attempt to connect waits: soon, so that many fit into a run, and never all at once. */
export const RECONNECT_MS = { least: 30, most: 1_500 } as const;

/** How long a connection may take to open before another gateway is tried. */
export const CONNECT_TIMEOUT_MS = 3_000;
