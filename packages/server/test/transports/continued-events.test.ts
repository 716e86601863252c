import { constants, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Chunk, type Takers } from '../../src/core/chunk.js';
import { LoggedEvent } from '../../src/core/logged-event.js';
import { CompressedEvents } from '../../src/transports/websocket/compressed-events.js';
import type { Context } from '../../src/transports/websocket/continued-events.js';
import { TRAILER, WINDOW_BITS, WINDOW_BYTES } from '../../src/transports/websocket/deflate.js';
import { entry } from '../core/support/entries.js';
import { event } from '../core/support/square.js';

type Form = 'separate' | 'together';

const THRESHOLD = 200;
const MANY: Takers = { size: 100 };

/** A client with the inflater that it would have, behind a link as ours are. */
class Client {
  readonly #formats: CompressedEvents;
  readonly #form: Form;
  #held: Context | undefined;
  /** The end of all texts that came compressed: what its inflater has. */
  #window: Uint8Array = new Uint8Array();
  readonly texts: string[] = [];
  bytes = 0;
  continued = 0;

  constructor(formats: CompressedEvents, form: Form) {
    this.#formats = formats;
    this.#form = form;
  }

  take(chunk: Chunk): Buffer {
    const next = this.#formats.remembered.continued?.[this.#form].next(chunk, this.#held);
    const bytes = next?.bytes ?? chunk.bytes(this.#formats[this.#form]);
    this.#held = next && (next.context ?? this.#held);
    if (next?.after) this.continued += 1;
    this.bytes += bytes.length;
    this.#read(bytes);
    return bytes;
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
    return new LoggedEvent(entry(offset, event('order.1.changed', { data })));
  });
}

function chunkOf(events: readonly LoggedEvent[], takers: Takers): Chunk {
  return new Chunk(events[0]?.offset ?? 0, events.at(-1)?.offset ?? 0, events, takers);
}

const textOf = (of: LoggedEvent) => JSON.stringify(of.parse());

describe.each<Form>(['separate', 'together'])('events that go on from what was sent before, %s', (form) => {
  it('[I-1][I-8] are read by everybody as what they are, whoever comes late, misses chunks, moves elsewhere or gets others between', () => {
    const step = fc.record({
      line: fc.nat(2),
      sizes: fc.array(fc.nat(90), { minLength: 1, maxLength: 4 }),
      /** By client, one bit each: who takes it, and who was sent something of his own before. */
      taken: fc.nat(255),
      caughtUp: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(255)),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const formats = new CompressedEvents(THRESHOLD);
        const lines: Takers[] = [{ size: 100 }, { size: 40 }, { size: 3 }];
        const clients = Array.from({ length: 8 }, () => new Client(formats, form));
        const expected = clients.map((): string[] => []);
        for (const { line, sizes, taken, caughtUp } of steps) {
          const chunk = chunkOf(logged(sizes), lines[line] ?? MANY);
          const own = chunkOf(logged([20]), { size: 1 });
          for (const [index, client] of clients.entries()) {
            for (const [one, who] of [
              [own, caughtUp],
              [chunk, taken],
            ] as const) {
              if (((who >> index) & 1) === 0) continue;
              client.take(one);
              expected[index]?.push(...one.events.map(textOf));
            }
          }
        }
        expect(clients.map(({ texts }) => texts)).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it('are the same bytes for all who were there, and take less than half of what they take by themselves', () => {
    const formats = new CompressedEvents(THRESHOLD);
    const [one, two] = [new Client(formats, form), new Client(formats, form)];
    let alone = 0;
    for (let n = 0; n < 20; n++) {
      const chunk = chunkOf(logged([5]), MANY);
      alone += chunk.bytes(formats[form]).length;
      expect(one.take(chunk)).toBe(two.take(chunk));
    }
    expect(one.bytes).toBeLessThan(alone / 2);
  });

  it('take in who came late after some chunks, and go on without a break where nobody did', () => {
    const formats = new CompressedEvents(THRESHOLD);
    const [early, late] = [new Client(formats, form), new Client(formats, form)];
    const send = (times: number, ...clients: Client[]) => {
      for (let n = 0; n < times; n++) {
        const chunk = chunkOf(logged([20, 20]), MANY);
        for (const client of clients) client.take(chunk);
      }
    };
    send(100, early);
    expect(early.continued).toBe(99);
    send(16, early, late);
    expect(late.continued).toBeLessThan(16);
    const before = [early.continued, late.continued];
    send(50, early, late);
    expect([early.continued, late.continued]).toEqual(before.map((count) => count + 50));
  });

  it('are not made for few, who share what was compressed of each event for all', () => {
    const formats = new CompressedEvents(THRESHOLD);
    const client = new Client(formats, form);
    const takers = { size: 100 };
    const chunks = () => Array.from({ length: 5 }, () => chunkOf(logged([20]), takers));
    for (const chunk of chunks()) client.take(chunk);
    takers.size = 31;
    for (const chunk of chunks()) expect(client.take(chunk)).toBe(chunk.bytes(formats[form]));
  });

  it('keep to what goes plain: what is below the threshold changes nothing of what is remembered', () => {
    const formats = new CompressedEvents(400);
    const client = new Client(formats, form);
    for (let n = 0; n < 10; n++) {
      client.take(chunkOf(logged([20]), MANY));
      client.take(chunkOf(logged([0]), MANY));
    }
    expect(client.continued).toBe(9);
    expect(client.texts).toHaveLength(20);
  });
});
