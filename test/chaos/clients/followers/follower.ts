import type { PregonEvent } from '@pregon/protocol';
import type { Random } from '../../random.js';
import type { Rights } from '../../rights.js';
import type { Beginning, JournalHeader } from '../journal.js';
import type { FollowerReport } from '../settings.js';
import type { User } from '../users/user.js';

/** One subscription of a client, on any transport. */
export interface Follower {
  report(): FollowerReport;
  /** Closes it for good. */
  close(): void;
  /**
   * Finishes writing its journal.
   * @param early whether this is before the end of the run
   */
  written(early: boolean): Promise<void>;
}

/** A connection that can be made to read slowly. */
export interface Pausable {
  pause(): void;
  resume(): void;
}

export interface FollowerOptions {
  readonly name: string;
  readonly path: string;
  readonly user: User;
  /** The topics that it subscribes to; none means all that its token allows. */
  readonly asks: readonly string[];
  /** A position, or `first`. */
  readonly since: string;
  readonly beginning: Beginning;
}

/** The environment of the followers. */
export interface Surroundings {
  readonly folder: string;
  readonly random: Random;
  /** The URL of a gateway, chosen anew for each call. */
  url(scheme: 'ws' | 'http', path: string): URL;
  /** A new user, whose tokens have the first of these rights at first, and then any of them. */
  user(name: string, rights: readonly [Rights, ...Rights[]]): User;
  /** Called for events from which other followers may begin. */
  seen(event: PregonEvent): void;
}

/**
 * The delay before a reconnect: short, so that many fit into a run, and random, so that they do not all come at once.
 */
export const RECONNECT_MS = { least: 30, most: 1_500 } as const;

/** How long a connection may take to open before another gateway is tried. */
export const CONNECT_TIMEOUT_MS = 3_000;

/** The header of the journal of a follower, which has the topics of its first token. */
export function expectedOf({ name, user, asks, beginning }: Omit<FollowerOptions, 'path' | 'since'>): JournalHeader {
  return { name, user: user.name, topics: asks.length > 0 ? asks : user.firstTopics, beginning };
}
