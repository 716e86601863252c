import { z } from 'zod';
import { MAX_KEY_LENGTH, MOST_ENTRIES } from '../core/counts/counts.js';

/** What a worker reports when it serves clients. */
const facts = z.object({
  port: z.number(),
  /** The name of the log, for messages. */
  log: z.string(),
  /** The URL of the HTTP port, if there is one. */
  http: z.string().optional(),
});

export type Facts = z.output<typeof facts>;

const ticket = z.string();

/** Why a worker is not ready; undefined if it is. */
const notReady = z.string().optional();

const entries = z
  .array(z.tuple([z.string().max(MAX_KEY_LENGTH), z.int().positive()]).readonly())
  .max(MOST_ENTRIES)
  .readonly();

const counts = z.object({
  op: z.literal('counts'),
  open: z.object({ addresses: entries, identities: entries }).optional(),
  handshakes: entries,
  failures: entries,
});

const toPrimary = z.discriminatedUnion('op', [
  z.object({ op: z.literal('serving'), facts }),
  /** Asks whether all workers are ready. */
  z.object({ op: z.literal('ready?'), id: z.number() }),
  z.object({ op: z.literal('readiness'), id: z.number(), notReady }),
  /** Comes with a socket for another worker: an upgrade request. `head` has the bytes already read (base64). */
  z.object({ op: z.literal('hand'), to: z.number(), ticket, head: z.string() }),
  /** The sender of the socket no longer reads it. */
  z.object({ op: z.literal('released'), to: z.number(), ticket }),
  /** The counts of the clients of this worker. */
  counts,
]);

const toWorker = z.discriminatedUnion('op', [
  z.object({ op: z.literal('stop'), signal: z.string() }),
  z.object({ op: z.literal('reload') }),
  z.object({ op: z.literal('ready'), id: z.number(), notReady }),
  z.object({ op: z.literal('readiness?'), id: z.number() }),
  z.object({ op: z.literal('take'), ticket, head: z.string() }),
  z.object({ op: z.literal('released'), ticket }),
  /** The counts of the clients of the other workers. */
  counts,
]);

export type ToPrimary = z.output<typeof toPrimary>;
export type ToWorker = z.output<typeof toWorker>;

/** @returns undefined for any other message, because other code in the process may use the channel too */
export function readToPrimary(message: unknown): ToPrimary | undefined {
  return toPrimary.safeParse(message).data;
}

/** @returns undefined for any other message */
export function readToWorker(message: unknown): ToWorker | undefined {
  return toWorker.safeParse(message).data;
}
