import { constants, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Chunk } from '../../src/core/delivery/chunk.js';
import type { LoggedEvent } from '../../src/core/delivery/logged-event.js';
import { ClientContext } from '../../src/transports/websocket/compression/client-context.js';
import { CompressedEvents } from '../../src/transports/websocket/compression/compressed-events.js';
import { TRAILER, WINDOW_BITS, WINDOW_BYTES } from '../../src/transports/websocket/compression/deflate.js';
import { entry, logged as loggedEvent } from '../core/support/entries.js';
import { event } from '../core/support/square.js';

type Form = 'separate' | 'together';

const THRESHOLD = 200;

/** Clients that are sent the same messages, with the inflater that each of them would have. */
class Group {
  readonly #formats: CompressedEvents;
  readonly #form: Form;
  readonly #held: readonly ClientContext[];
  /** The end of all texts that came compressed, which the inflaters hold. */
  #window: Uint8Array = new Uint8Array();
  readonly texts: string[] = [];
  bytes = 0;

  constructor(formats: CompressedEvents, form: Form, size = 40) {
    this.#formats = formats;
    this.#form = form;
    this.#held = Array.from({ length: size }, () => new ClientContext());
  }

  take(chunk: Chunk): Buffer {
    const taken = this.#held.map((held) => held.take(chunk, this.#formats.remembered, this.#form));
    const [bytes = Buffer.alloc(0)] = taken;
    for (const each of taken) if (!each.equals(bytes)) throw new Error('the bytes differ within a group');
    this.bytes += bytes.length;
    this.#read(bytes);
    return bytes;
  }

  /** The clients are full, or closed. */
  release(): void {
    for (const held of this.#held) held.release();
  }

  #read(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      const short = (bytes[at + 1] ?? 0) & 0x7f;
      const size = short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : bytes.readUIntBE(at + 4, 6);
      const start = at + (short < 126 ? 2 : short === 126 ? 4 : 10);
      const payload = bytes.subarray(start, start + size);
      this.#heard(((bytes[at] ?? 0) & 0x40) === 0 ? payload : this.#inflated(payload));
      at = start + size;
    }
  }

  #inflated(payload: Buffer): Buffer {
    const options = { windowBits: WINDOW_BITS, finishFlush: constants.Z_SYNC_FLUSH };
    const dictionary = this.#window.length > 0 ? { dictionary: this.#window } : {};
    const text = inflateRawSync(Buffer.concat([payload, TRAILER]), { ...options, ...dictionary });
    this.#window = Buffer.concat([this.#window, text]).subarray(-WINDOW_BYTES);
    return text;
  }

  #heard(text: Buffer): void {
    const message = JSON.parse(text.toString());
    const events: unknown[] = message.op === 'batch' ? message.events : [message];
    this.texts.push(...events.map((each) => JSON.stringify(each)));
  }
}

let offset = 0;

function logged(sizes: readonly number[]): LoggedEvent[] {
  return sizes.map((size) => {
    offset += 1;
    const data = { order: offset, words: `${offset * 7919}: what all have in common `.repeat(size) };
    return loggedEvent(entry(offset, event('order.1.changed', { data })));
  });
}

function chunkOf(sizes: readonly number[], takers: number): Chunk {
  const events = logged(sizes);
  return new Chunk(events[0]?.offset ?? 0, events.at(-1)?.offset ?? 0, events, takers);
}

const textOf = (of: LoggedEvent) => JSON.stringify(of.parse());

describe.each<Form>(['separate', 'together'])('events compressed with a shared context, %s,', (form) => {
  const groups = (count: number, size?: number) => {
    const formats = new CompressedEvents(THRESHOLD);
    return Array.from({ length: count }, () => new Group(formats, form, size));
  };

  it('[I-1][I-8] are read correctly by every client, even if it comes late, misses chunks, gets others in between, or is full', () => {
    const bits = fc.nat(63);
    const step = fc.record({
      sizes: fc.array(fc.nat(90), { minLength: 1, maxLength: 4 }),
      takers: fc.constantFrom(320, 100, 64, 32, 3),
      /** One bit for each group: whether it takes the chunk, gets its own events before, or is full. */
      taken: bits,
      caughtUp: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, bits),
      full: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, bits),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
        const all = groups(6, 33);
        const expected = all.map((): string[] => []);
        for (const { sizes, takers, taken, caughtUp, full } of steps) {
          const chunk = chunkOf(sizes, takers);
          const own = chunkOf([20], 1);
          for (const [index, group] of all.entries()) {
            const isAmong = (who: number) => ((who >> index) & 1) === 1;
            if (isAmong(full)) group.release();
            for (const one of [isAmong(caughtUp) ? own : undefined, isAmong(taken) ? chunk : undefined]) {
              if (!one) continue;
              group.take(one);
              expected[index]?.push(...one.events.map(textOf));
            }
          }
        }
        expect(all.map(({ texts }) => texts)).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });

  it('are the same bytes for all clients with one history, and less than half the size of self-contained ones', () => {
    const [one, two] = groups(2);
    const formats = new CompressedEvents(THRESHOLD);
    let alone = 0;
    for (let n = 0; n < 20; n++) {
      const chunk = chunkOf([5], 80);
      alone += chunk.bytes(formats[form]).length;
      expect(one?.take(chunk)).toBe(two?.take(chunk));
    }
    expect(one?.bytes).toBeLessThan(alone / 2);
  });

  it('converge with a client that connected later, and are then the same for both', () => {
    const [early, late] = groups(2);
    const same = () => {
      const chunk = chunkOf([20], 80);
      return early?.take(chunk) === late?.take(chunk);
    };
    for (let n = 0; n < 100; n++) early?.take(chunkOf([20], 80));
    const first = Array.from({ length: 100 }, same);
    expect(first.indexOf(true)).toBeGreaterThan(0);
    expect(first.slice(first.indexOf(true))).not.toContain(false);
  });

  it('keep a context even if some clients get more chunks than others', () => {
    const [some, more] = groups(2);
    let alone = 0;
    const formats = new CompressedEvents(THRESHOLD);
    for (let n = 0; n < 60; n++) {
      const [shared, others] = [chunkOf([5], 80), chunkOf([5], 40)];
      for (const chunk of [shared, others]) alone += chunk.bytes(formats[form]).length;
      for (const group of [some, more]) group?.take(shared);
      more?.take(others);
    }
    expect(more?.bytes).toBeLessThan(alone / 2);
    expect(some?.bytes).toBeLessThan(alone / 4);
  });

  it('are not made for few clients, which get the frames that are shared by all', () => {
    const [group] = groups(1);
    for (let n = 0; n < 5; n++) group?.take(chunkOf([20], 40));
    const formats = new CompressedEvents(THRESHOLD);
    for (let n = 0; n < 5; n++) {
      const chunk = chunkOf([20], 31);
      expect(group?.take(chunk)).toEqual(chunk.bytes(formats[form]));
    }
  });

  it('are compressed at most once per chunk for each 32 clients, however many contexts there are', () => {
    const all = groups(10);
    for (const group of all) group.take(chunkOf([20], 40));
    const chunk = chunkOf([20], 100);
    const made = new Set(all.map((group) => group.take(chunk)));
    expect(made.size).toBe(3 + 1);
  });

  it('ignore events below the threshold, which do not change the context', () => {
    const formats = new CompressedEvents(400);
    const [mixed, pure] = [new Group(formats, form), new Group(formats, form)];
    for (let n = 0; n < 10; n++) {
      const chunk = chunkOf([20], 80);
      expect(mixed.take(chunk)).toBe(pure.take(chunk));
      mixed.take(chunkOf([0], 80));
    }
  });
});
