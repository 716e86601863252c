import { DEFAULT_TABLE, type StuckChoice, type StuckEvent, type StuckEvents } from '@pregon/outbox';
import type { Command, Invocation } from '../command.js';
import { holdsPassword } from '../log-flags.js';
import { complain, write } from '../terminal/output.js';
import { UsageError } from '../usage-error.js';
import { openOutbox } from './outbox-database.js';

const DEFAULT_LIMIT = 100;

const FLAGS = {
  db: {
    kind: 'text',
    value: 'URL',
    description:
      'the database of the outbox: sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE (default: PREGON_OUTBOX); ps shows a password given here, but not one in PREGON_OUTBOX',
    secret: (url) => (holdsPassword(url) ? 'use PREGON_OUTBOX' : undefined),
  },
  table: { kind: 'text', value: 'NAME', description: `the name of the outbox table (default: ${DEFAULT_TABLE})` },
  json: { kind: 'switch', description: 'print JSON, one object per line' },
} as const satisfies Command['flags'];

const CHOICE = {
  name: 'ID',
  required: false,
  description: 'the id of an event, or "#" and its number (quote it for the shell), as list shows them',
} as const;

const ALL = { all: { kind: 'switch', description: 'all stuck events' } } as const satisfies Command['flags'];

export const outboxStuckList: Command = {
  name: 'outbox stuck list',
  summary: 'Show the events that a relay has set aside because the log can never take them',
  details: ['The oldest event comes first. The exit code is 0 even if there are no such events.'],
  arguments: [],
  flags: {
    ...FLAGS,
    limit: { kind: 'integer', value: 'N', description: `show at most this many events (default: ${DEFAULT_LIMIT})` },
  },
  examples: ['pregon outbox stuck list --db=sqlite:app.db', 'pregon outbox stuck list --db=postgres:///shop --json'],
  run: (invocation) =>
    withStuck(invocation, async (stuck) => {
      const limit = invocation.flags.integer('limit') ?? DEFAULT_LIMIT;
      if (limit === 0) throw new UsageError('--limit must be 1 or more');
      const events = await stuck.list(limit);
      const isJson = invocation.flags.has('json');
      await write(events.map(isJson ? toJson : toLine).join(''));
      const count = await stuck.count();
      if (count === 0 && !isJson) await write('no event was set aside\n');
      if (count > events.length) complain(`pregon: ${count - events.length} more; --limit=N shows more of them`);
    }),
};

export const outboxStuckRetry: Command = {
  name: 'outbox stuck retry',
  summary: 'Put events that were set aside back into the outbox',
  details: [
    'They get the next numbers, so they come after all events that were relayed in the meantime: an event that',
    'holds an older state of its row overwrites a newer one. An event that the log refuses again is set aside',
    'again. The exit code is 1 if there is no such event.',
  ],
  arguments: [CHOICE],
  flags: { ...ALL, ...FLAGS },
  examples: ['pregon outbox stuck retry user-1 --db=sqlite:app.db', 'pregon outbox stuck retry --all'],
  run: (invocation) => change(invocation, 'put back', (stuck, which) => stuck.retry(which)),
};

export const outboxStuckDrop: Command = {
  name: 'outbox stuck drop',
  summary: 'Delete events that were set aside, for good',
  details: ['Without --yes nothing is deleted. The exit code is 1 if there is no such event.'],
  arguments: [CHOICE],
  flags: { yes: { kind: 'switch', description: 'confirm the deletion' }, ...ALL, ...FLAGS },
  examples: [`pregon outbox stuck drop '#42' --yes --db=sqlite:app.db`, 'pregon outbox stuck drop --all --yes'],
  run: (invocation) => {
    const { flags, argument } = invocation;
    const named = flags.has('all') ? 'all events that were set aside' : JSON.stringify(argument('ID') ?? '');
    chosen(invocation);
    if (!flags.has('yes')) throw new UsageError(`this deletes ${named} for good; add --yes`);
    return change(invocation, 'dropped', (stuck, which) => stuck.drop(which));
  },
};

type Stuck = StuckEvents<number> | StuckEvents<Promise<number>>;

async function change(
  invocation: Invocation,
  verb: string,
  work: (stuck: Stuck, which: StuckChoice) => number | Promise<number>,
): Promise<number> {
  const which = chosen(invocation);
  return withStuck(invocation, async (stuck) => {
    const count = await work(stuck, which);
    const { flags, argument } = invocation;
    if (count === 0 && which !== 'all') throw new Error(`no event ${JSON.stringify(argument('ID'))} was set aside`);
    await write(flags.has('json') ? `${JSON.stringify({ count })}\n` : `${countEvents(count)} ${verb}\n`);
  });
}

function chosen({ flags, argument }: Invocation): StuckChoice {
  const id = argument('ID');
  if (flags.has('all') === (id !== undefined)) throw new UsageError('give either the ID of one event, or --all');
  if (id === undefined) return 'all';
  const [, digits] = /^#(-?\d{1,15})$/.exec(id) ?? [];
  return digits === undefined ? { id } : { sequence: Number(digits) };
}

async function withStuck(invocation: Invocation, work: (stuck: Stuck) => Promise<void>): Promise<number> {
  const { flags, settings } = invocation;
  const url = flags.text('db') ?? settings.outbox;
  if (url === undefined)
    throw new UsageError('no outbox is given: add --db=sqlite:PATH or --db=postgres://…, or set PREGON_OUTBOX');
  const outbox = await openOutbox(url, flags.text('table') ?? DEFAULT_TABLE);
  try {
    await work(outbox.stuck);
  } finally {
    await outbox.close();
  }
  return 0;
}

function toJson({ writtenAt, stuckAt, ...event }: StuckEvent): string {
  return `${JSON.stringify({ ...event, writtenAt: timeOf(writtenAt), stuckAt: timeOf(stuckAt) })}\n`;
}

function toLine({ sequence, id, code, reason, stuckAt }: StuckEvent): string {
  const named = id === undefined ? '' : ` ${JSON.stringify(id)}`;
  return `#${sequence}${named}  ${timeOf(stuckAt)}  ${code}: ${reason.replace(/\s+/g, ' ')}\n`;
}

/** Other programs may write this column. A time out of the range of Date is shown as a number. */
function timeOf(ms: number): string {
  const time = new Date(ms);
  return Number.isNaN(time.getTime()) ? String(ms) : time.toISOString();
}

function countEvents(count: number): string {
  return count === 1 ? '1 event' : `${count} events`;
}
