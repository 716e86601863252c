import { assertPattern, type LogPoint, type ResetReason } from '@pregon/protocol';
import { Chunk } from '../../core/delivery/chunk.js';
import { LoggedEvent } from '../../core/delivery/logged-event.js';
import type { Format } from '../../core/ports/delivery.js';
import type { Log } from '../../core/ports/log.js';
import type { LogEntry } from '../../core/ports/log-entry.js';
import type { PositionCodec } from '../../core/ports/positions.js';
import { WakeSignal } from '../../core/time/wake-signal.js';
import { CompiledFilter } from '../../core/topics/compiled-filter.js';
import { createFilter } from '../../core/topics/filter.js';
import { positionsOf } from '../../logs/secrets/position-codec.js';
import type { Command, Invocation } from '../command.js';
import { findLog, findLogDriver, findSecret, LOG_FLAGS, readConfiguration } from '../log-flags.js';
import { complain, whenOutputGone, write } from '../terminal/output.js';

const EXIT_RESET = 2;

const NEWLINE = 0x0a;

const JSON_LINES: Format = {
  size: (event) => event.size + 1,
  write(event, target, at) {
    const end = event.write(target, at);
    target[end] = NEWLINE;
    return end + 1;
  },
};

export const tail: Command = {
  name: 'tail',
  summary: 'Print the events of an exchange as they arrive, one JSON object per line',
  details: [
    'If a position can no longer be served, prints "reset" and the reason on standard error; the exit code is 2.',
  ],
  arguments: [{ name: 'EXCHANGE', required: true, description: 'the exchange to read' }],
  flags: {
    since: {
      kind: 'text',
      value: 'first|POSITION',
      description: 'start at the first retained event, or after a position',
    },
    topics: {
      kind: 'text',
      value: 'PATTERNS',
      repeats: true,
      description: 'only these topic patterns, separated by commas',
    },
    limit: { kind: 'integer', value: 'N', description: 'stop after this many events' },
    ...LOG_FLAGS,
  },
  examples: ['pregon tail my_events', "pregon tail my_events --since=first --topics='user.#' --limit=10"],
  async run(invocation) {
    const exchange = invocation.argument('EXCHANGE') ?? '';
    const topics = readTopics(invocation);
    const stop = stopSignal();
    const url = await findLog(invocation);
    const driver = await findLogDriver(url, () => readConfiguration(invocation));
    const log = await driver.open(url, { exchanges: [exchange], signal: stop });
    try {
      return await followLog(log, {
        positions: await positionsOf(log, await findSecret(invocation)),
        since: invocation.flags.text('since'),
        filter: new CompiledFilter(createFilter({ topics })),
        limit: invocation.flags.integer('limit') ?? Number.POSITIVE_INFINITY,
        stop,
      });
    } finally {
      await log.close();
    }
  },
};

function readTopics({ flags }: Invocation): string[] | undefined {
  if (!flags.has('topics')) return undefined;
  const topics = flags
    .list('topics')
    .flatMap((list) => list.split(','))
    .map((topic) => topic.trim());
  topics.forEach(assertPattern);
  return topics;
}

/** Aborted by Ctrl-C, by SIGTERM, and when standard output is closed by its reader. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = () => controller.abort();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  whenOutputGone(stop);
  return controller.signal;
}

interface TailOptions {
  readonly positions: PositionCodec;
  readonly since: string | undefined;
  readonly filter: CompiledFilter;
  readonly limit: number;
  readonly stop: AbortSignal;
}

/**
 * Reads the log with a cursor, as fast as standard output takes it. Following the log only signals that there is more.
 */
async function followLog(log: Log, { positions, since, filter, limit, stop }: TailOptions): Promise<number> {
  const start = await findStart(log, since, positions);
  if ('reset' in start) return printReset(start.reset);
  let cursor = start.point;
  let left = limit;
  // The signal remembers a ring, so an append between a read and the wait is not missed.
  const more = new WakeSignal();
  stop.addEventListener('abort', () => more.ring(), { once: true });
  let reset: ResetReason | undefined;
  const stopFollowing = log.follow(cursor, {
    appended: () => more.ring(),
    replaced() {
      reset ??= 'replaced';
      more.ring();
    },
    unavailable: (error) => complain(`pregon: the log cannot be read for now: ${error.message}`),
    available: () => more.ring(),
  });
  try {
    while (left > 0 && !stop.aborted) {
      const page = await log.read({ after: cursor.offset });
      // Check the floor after the read: a trim between the two could leave a hole in the page.
      if ((await log.floor()).offset > cursor.offset) reset ??= 'truncated';
      if (reset) return printReset(reset);
      const events = page.entries.filter((entry) => filter.matches(entry)).slice(0, left);
      left -= events.length;
      if (events.length > 0) await write(encode(events, positions));
      if (page.through.offset > cursor.offset) cursor = page.through;
      else await more.wait();
    }
    return 0;
  } finally {
    await stopFollowing();
  }
}

function encode(entries: readonly LogEntry[], positions: PositionCodec): string {
  return new Chunk(0, 0, LoggedEvent.ofAll(entries, positions)).bytes(JSON_LINES).toString();
}

/** @throws PregonError POSITION_INVALID */
async function findStart(
  log: Log,
  since: string | undefined,
  positions: PositionCodec,
): Promise<{ point: LogPoint } | { reset: ResetReason }> {
  if (since === undefined) return { point: await log.head() };
  if (since === 'first') return { point: await log.floor() };
  const point = positions.decode(since);
  if (!point) return { reset: 'replaced' };
  const presence = await log.check(point);
  return presence === 'present' ? { point } : { reset: presence };
}

function printReset(reason: ResetReason): number {
  complain(`pregon: reset: ${reason}; the position can no longer be served: start with --since=first`);
  return EXIT_RESET;
}
