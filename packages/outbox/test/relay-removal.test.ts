import { encodeSequence, type PregonEvent } from '@pregon/protocol';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { OutboxRelay } from '../src/relay-loop.js';
import type { RefusedRow, RelaySource } from '../src/relay-source.js';

const BAD: RefusedRow = { sequence: 1, id: undefined, code: 'EVENT_INVALID', reason: 'no event' };

/** A table whose first row holds no event, and which refuses removals until the test allows them. */
class Table implements RelaySource<number> {
  readonly name = 'outbox';
  readonly setAside: RefusedRow[] = [];
  mayRemove = false;
  attempts = 0;
  last = 1;
  removed = 0;

  read(after: number) {
    const events: PregonEvent[] = [];
    for (let sequence = Math.max(after, 1) + 1; sequence <= this.last; sequence++) {
      const names = { id: String(sequence), source: '/', type: 'T', topic: 'a', exchange: 'e' };
      events.push({ specversion: '1.0', ...names, sequence: encodeSequence(sequence) });
    }
    return { events, through: this.last, ...(after === 0 ? { unreadable: [BAD] } : {}) };
  }

  remove(through: number, refused: readonly RefusedRow[]) {
    this.attempts += 1;
    if (!this.mayRemove) throw new Error('permission denied');
    this.setAside.push(...refused);
    this.removed = through;
  }

  count = (after: number) => this.last - after;
  countStuck = () => this.setAside.length;
  lagMs = () => 0;
}

describe('a relay that may not remove the rows that it has relayed', () => {
  const table = new Table();
  const ids: string[] = [];
  const errors: string[] = [];
  const append = async (events: readonly PregonEvent[]) => void ids.push(...events.map(({ id }) => id));
  const onError = ({ message }: Error) => errors.push(message);
  const relay = new OutboxRelay(table, { log: { append }, onError, pollIntervalMs: 1 });

  afterEach(() => relay.stop());

  it('[fault C4] says so once, continues to relay, retries less and less often, and succeeds as soon as it may', async () => {
    relay.start();
    for (let sequence = 2; sequence <= 40; sequence++) {
      table.last = sequence;
      await vi.waitFor(() => expect(ids).toContain(String(sequence)), { interval: 1 });
    }
    await vi.waitFor(() => expect(table.attempts).toBeGreaterThan(2));
    expect([errors, table.setAside, relay.state]).toEqual([['permission denied'], [], 'retrying']);
    // With doubling pauses, this takes seconds.
    expect(table.attempts).toBeLessThan(8);
    table.mayRemove = true;
    await vi.waitFor(() => expect([table.setAside, table.removed]).toEqual([[BAD], 40]), { timeout: 60_000 });
    await vi.waitFor(() => expect(relay.state).toBe('idle'));
    expect(errors).toEqual(['permission denied', expect.stringContaining('was set aside')]);
  });
});
