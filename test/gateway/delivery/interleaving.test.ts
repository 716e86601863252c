import { matchesTopic } from '@pregon/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FramesClient, untilAtHead } from '../../support/gateway/frames-client.js';
import { numberOf, startGateway, type TestGateway } from '../../support/gateway/gateway.js';

const GROUPS = ['a', 'b', 'c'];
const PATTERNS = ['#', 'a.#', '*.b.*', 'c.#', '#.7', 'nothing'];
/** Events that are written before the subscriptions are opened, and while they are open. */
const BEFORE = 3_000;
const DURING = 500;

const topic = (n: number) => `${GROUPS[n % 3]}.${GROUPS[(n >> 2) % 3]}.${n % 10}`;

interface Wanted {
  readonly topics: readonly string[];
  /** The number of the event to begin after; 0 means since first, undefined means live only. */
  readonly after: number | undefined;
}

const wanted: fc.Arbitrary<Wanted> = fc.record({
  topics: fc.subarray(PATTERNS, { minLength: 1, maxLength: 3 }),
  after: fc.option(fc.integer({ min: 0, max: BEFORE }), { nil: undefined }),
});

describe('Several subscriptions on one connection', () => {
  it('[I-1][I-2][I-3] each get exactly their events, in order, at any position of the other cursors and during writes', async () => {
    const gateway = await startGateway({ historyBytes: 200_000, maxBufferedBytes: 1 });
    const positions = await prepare(gateway);
    await fc.assert(
      fc.asyncProperty(fc.array(wanted, { minLength: 1, maxLength: 8 }), (subscriptions) =>
        followAll(gateway, positions, subscriptions),
      ),
      { numRuns: 12 },
    );
  });
});

/** The number of events in the log; each run of the property appends more. */
let total = 0;

async function prepare({ ws, append }: TestGateway): Promise<string[]> {
  await append(BEFORE, { topic, padding: 200 });
  total = BEFORE;
  const client = await FramesClient.open(ws('/events'));
  const subscribed = await client.subscribe({ id: 1, since: 'first' });
  await client.numbers(1, BEFORE);
  await client.close();
  const first = subscribed.op === 'subscribed' ? subscribed.position : '';
  return [first, ...client.events(1).map(({ position = '' }) => position)];
}

async function followAll(gateway: TestGateway, positions: string[], subscriptions: Wanted[]): Promise<void> {
  const { ws, append } = gateway;
  await untilAtHead(gateway);
  const client = await FramesClient.open(ws('/events'));
  const live = total;
  for (const [id, { topics, after }] of subscriptions.entries()) {
    const since = after === undefined ? undefined : after === 0 ? 'first' : positions[after];
    client.send({ op: 'subscribe', id, topics, ...(since === undefined ? {} : { since }) });
  }
  await client.frames.until(() => client.controls('subscribed').length === subscriptions.length, 'all to be open');
  await append(DURING, { topic, padding: 200 });
  total += DURING;
  for (const [id, { topics, after = live }] of subscriptions.entries()) {
    const expected: number[] = [];
    for (let n = after + 1; n <= total; n++) {
      if (topics.some((pattern) => matchesTopic(pattern, topic(n)))) expected.push(n);
    }
    expect(await client.numbers(id, expected.length)).toEqual(expected);
  }
  // The pong comes after everything that was written, so a surplus event would have arrived by now.
  await client.ask('{"op":"ping"}', 'pong');
  const events = subscriptions.flatMap((_, id) => client.events(id).map(numberOf));
  expect(client.frames.all.filter((frame) => !('op' in frame))).toHaveLength(events.length);
  await client.close();
}
