import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { POSITION_LENGTH } from '@pregon/protocol';
import { type Log, openLog } from 'pregon';
import { blockBytes, createEvent, deliveredBytes, nowMicros, packetBytes } from '../events.js';
import { answer } from '../processes/answer.js';
import { type Fields, type Figures, numberOf, textOf } from '../processes/messages.js';
import { audienceSizes, type Spread, spreadOf } from '../spread.js';
import { producing } from './producing.js';

/** All positions have the same length, so the bytes of a delivery are known without the key. */
const ANY_POSITION = '0'.repeat(POSITION_LENGTH);

const BYTES_AROUND: Readonly<Record<string, typeof deliveredBytes>> = {
  none: deliveredBytes,
  'socket.io': packetBytes,
  sse: blockBytes,
};

/** Appends to the log from its own process, as an application's relay does. */
let log: Log | undefined;
let eventBytes = 0;
let bytesOf = deliveredBytes;
let spread: Spread = spreadOf('one');
/** How many connections get an event, by the remainder of its number. */
let audiences: readonly number[] = [1];

async function send(first: number, count: number): Promise<number> {
  if (!log) throw new TypeError('open the log first');
  const at = nowMicros();
  const numbers = Array.from({ length: count }, (_, index) => first + index);
  const events = numbers.map((number) => createEvent(number, eventBytes, at, spread.topicOf(number)));
  await log.append(events);
  return events.reduce((bytes, event, index) => {
    const connections = audiences[(first + index) % audiences.length] ?? 0;
    return bytes + connections * bytesOf(event, ANY_POSITION);
  }, 0);
}

/** Runs `callers` at once for `durationMs`. Each calls `append` with `group` events, one call after the other. */
async function append(fields: Fields): Promise<Figures> {
  const group = numberOf(fields, 'group');
  const end = performance.now() + numberOf(fields, 'durationMs');
  const began = performance.now();
  let next = numberOf(fields, 'first');
  const caller = async () => {
    while (performance.now() < end) {
      const first = next;
      next += group;
      await log?.append(Array.from({ length: group }, (_, index) => createEvent(first + index, eventBytes)));
    }
  };
  await Promise.all(Array.from({ length: numberOf(fields, 'callers') }, caller));
  return { events: next - numberOf(fields, 'first'), elapsedMs: performance.now() - began };
}

/** Measures the limit of the disk: appends one block to a file and calls fsync, repeatedly. */
function sync(fields: Fields): Figures {
  const file = openSync(textOf(fields, 'path'), 'a');
  const block = Buffer.alloc(4_096);
  const began = performance.now();
  const end = began + numberOf(fields, 'durationMs');
  let count = 0;
  for (; performance.now() < end; count++) {
    writeSync(file, block);
    fsyncSync(file);
  }
  closeSync(file);
  return { events: count, elapsedMs: performance.now() - began };
}

answer({
  ...producing({ send }),
  /**
   * Opens the log. Bytes are counted for `connections` with the named spread; by default, for one connection that gets
   * all events.
   */
  async open(fields) {
    if (fields['spread'] !== undefined) spread = spreadOf(textOf(fields, 'spread'));
    if (fields['connections'] !== undefined) audiences = audienceSizes(spread, numberOf(fields, 'connections'));
    eventBytes = numberOf(fields, 'eventBytes');
    log = await openLog(textOf(fields, 'log'));
    bytesOf = BYTES_AROUND[fields['around'] === undefined ? 'none' : textOf(fields, 'around')] ?? deliveredBytes;
    return {};
  },
  /** Appends `count` events in groups of 500. */
  async fill(fields) {
    let bytes = 0;
    const first = numberOf(fields, 'first');
    const end = first + numberOf(fields, 'count');
    for (let next = first; next < end; next += 500) bytes += await send(next, Math.min(500, end - next));
    return { bytes };
  },
  append,
  sync,
});
