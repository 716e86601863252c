import { fstatSync } from 'node:fs';
import { assertTopic, createEvent, type LogPoint, messageOf, type NewEvent, PregonError } from '@pregon/protocol';
import { v7 as uuid } from 'uuid';
import type { Configuration } from '../../config/configuration.js';
import { readJson } from '../../core/json-input.js';
import type { Log } from '../../core/ports/log.js';
import { positionsOf } from '../../logs/secrets/position-codec.js';
import type { Command, Invocation } from '../command.js';
import { chooseLog, findLogDriver, LOG_FLAGS, readConfiguration } from '../log-flags.js';
import { complain, write } from '../terminal/output.js';
import { UsageError } from '../usage-error.js';
import { readLines } from './lines.js';

/** The most events in one append. Larger groups gain hardly anything more from group commit. */
const GROUP = 500;

const PROGRESS_MS = 2_000;

export const publish: Command = {
  name: 'publish',
  summary: 'Append events to the log',
  details: [
    'DATA is JSON. With "-", or without DATA if standard input is a pipe or a file, each line of standard input is',
    'the data of one event. Prints the position of the event, or of the last one.',
  ],
  arguments: [
    { name: 'EXCHANGE', required: true, description: 'the exchange to publish to' },
    { name: 'TOPIC', required: true, description: 'the dotted routing key: user.42.created' },
    { name: 'DATA', required: false, description: 'JSON, or "-" to read one JSON value per line from standard input' },
  ],
  flags: {
    type: { kind: 'text', value: 'TYPE', description: 'what happened: UserWasCreated (required)' },
    subject: { kind: 'text', value: 'TEXT', description: 'what it happened to: user/42' },
    source: { kind: 'text', value: 'URI', description: 'where it happened (default: "/")' },
    id: { kind: 'text', value: 'ID', description: 'an id that is unique within its source (default: a new UUID)' },
    ...LOG_FLAGS,
  },
  examples: [
    `pregon publish my_events user.42.created '{"id":"42"}' --type=UserWasCreated`,
    'pregon publish my_events user.imported --type=UserWasImported < users.jsonl',
  ],
  async run(invocation) {
    assertUtf8(invocation);
    const template = readTemplate(invocation);
    const data = invocation.argument('DATA');
    const fromInput = data === '-' || (data === undefined && inputIsPiped());
    if (fromInput && template.id !== undefined) {
      throw new UsageError('--id names one event, so it cannot be used with standard input');
    }
    const one = data === undefined || fromInput ? undefined : readJson(data, 'DATA');
    const configuration = await readConfiguration(invocation);
    const log = await openPublisherLog(invocation, configuration);
    const report = async (point: LogPoint) => {
      try {
        const positions = await positionsOf(log, configuration.secret);
        await write(`${positions.encode(point)}\n`);
      } catch (error) {
        // The event is stored. This user has no right to read the secret that positions are encoded with.
        if (!(error instanceof PregonError)) throw error;
        complain(`pregon: stored, but its position is not known: ${error.message}`);
      }
    };
    try {
      const last = fromInput ? await publishLines(log, template) : await publishOne(log, complete(template, one));
      if (last) await report(last);
    } finally {
      await log.close();
    }
    return 0;
  },
};

/** A log trims as it appends, so it needs the configured retention. */
async function openPublisherLog(invocation: Invocation, configuration: Configuration): Promise<Log> {
  const { retention } = configuration;
  const url = chooseLog(invocation, configuration);
  return (await findLogDriver(url, () => configuration)).open(url, {
    ...(retention ? { retention } : {}),
    onWarning: ({ message }) => complain(`pregon: ${message}`),
  });
}

function readTemplate(invocation: Invocation): NewEvent {
  const { flags } = invocation;
  const type = flags.text('type');
  if (type === undefined) throw new UsageError('--type is missing: name what happened, such as --type=UserWasCreated');
  const topic = invocation.argument('TOPIC') ?? '';
  assertTopic(topic);
  return {
    exchange: invocation.argument('EXCHANGE') ?? '',
    topic,
    type,
    subject: flags.text('subject'),
    source: flags.text('source'),
    id: flags.text('id'),
  };
}

/**
 * Node.js replaces bytes of an argument that are not UTF-8 by U+FFFD, so this checks for U+FFFD: the original bytes are
 * gone.
 */
function assertUtf8({ argument, flags }: Invocation): void {
  const given = [
    ...['EXCHANGE', 'TOPIC', 'DATA'].map((name) => [name, argument(name)] as const),
    ...['type', 'subject', 'source', 'id'].map((name) => [`--${name}`, flags.text(name)] as const),
  ];
  const wrong = given.find(([, text]) => text?.includes('\ufffd'));
  if (!wrong) return;
  throw new PregonError('EVENT_INVALID', `${wrong[0]} is not UTF-8 (in JSON, write U+FFFD itself as \\ufffd)`);
}

/** A terminal or `/dev/null` is not a source of events. */
function inputIsPiped(): boolean {
  const input = fstatSync(0);
  return input.isFIFO() || input.isFile() || input.isSocket();
}

function complete(template: NewEvent, data: unknown) {
  return createEvent({ ...template, data }, { id: uuid(), time: new Date().toISOString() });
}

async function publishOne(log: Log, event: ReturnType<typeof complete>): Promise<LogPoint | undefined> {
  const [point] = await log.append([event]);
  return point;
}

/** @returns the point of the last event; undefined if there was none */
async function publishLines(log: Log, template: NewEvent): Promise<LogPoint | undefined> {
  let lineNumber = 0;
  let stored = 0;
  let last: LogPoint | undefined;
  let reportedAt = Date.now();
  for await (const lines of saying(readLines(process.stdin), () => `${countEvents(stored)} stored before`)) {
    for (let from = 0; from < lines.length; from += GROUP) {
      const group = lines.slice(from, from + GROUP);
      const { events, mistake } = readGroup(group, lineNumber, template);
      const points = await appendGroup(log, events, lineNumber, stored);
      lineNumber += group.length;
      stored += points.length;
      last = points.at(-1) ?? last;
      if (mistake !== undefined)
        throw new PregonError('EVENT_INVALID', `${mistake}; ${countEvents(stored)} stored before`);
      if (Date.now() - reportedAt < PROGRESS_MS) continue;
      reportedAt = Date.now();
      complain(`${countEvents(stored)} stored so far`);
    }
  }
  complain(`${countEvents(stored)} stored`);
  return last;
}

/** Adds the number of stored events to the error for unreadable input. */
async function* saying<T>(groups: AsyncIterable<T>, soFar: () => string): AsyncGenerator<T> {
  try {
    yield* groups;
  } catch (cause) {
    if (!(cause instanceof PregonError)) throw cause;
    throw new PregonError(cause.code, `${cause.message}; ${soFar()}`, { cause });
  }
}

/** The events of the lines up to the first invalid one. Empty lines are skipped. */
function readGroup(lines: readonly string[], before: number, template: NewEvent) {
  const events: ReturnType<typeof complete>[] = [];
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue;
    try {
      events.push(complete(template, readJson(line, `line ${before + index + 1}`)));
    } catch (cause) {
      return { events, mistake: messageOf(cause) };
    }
  }
  return { events, mistake: undefined };
}

async function appendGroup(log: Log, events: ReturnType<typeof complete>[], before: number, stored: number) {
  if (events.length === 0) return [];
  try {
    return await log.append(events);
  } catch (cause) {
    if (!(cause instanceof PregonError)) throw cause;
    const message = `after line ${before}: ${cause.message}; ${countEvents(stored)} stored before`;
    throw new PregonError(cause.code, message, { cause });
  }
}

function countEvents(count: number): string {
  return count === 1 ? '1 event' : `${count} events`;
}
