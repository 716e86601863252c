import { BoundedMap } from '../../core/bounded-map.js';
import { RESERVED_NAMES } from '../../core/broadcasts/message.js';
import type { DeliveredEvent, EventChunk, Format, OutgoingMessage } from '../../core/ports/delivery.js';
import { headerSize, textFrame, writeTextHeader } from '../sockets/websocket-frame.js';
import { guardLastArgument } from './engine/guard-last-argument.js';
import { INCOMPLETE_MARK } from './recovery/offset.js';

/** The names under which an event is emitted to a client: its type, `event`, or both. */
export type EventNames = 'type' | 'event' | 'both';

const KEPT_NAMES = 1_000;

/** The parts of an event packet before and after its JSON text. */
interface Envelope {
  readonly head: Buffer;
  readonly tail: Buffer;
}

export interface EventPacketsOptions {
  /** The namespace of Socket.IO: `/events`. */
  readonly namespace: string;
  /** An event whose type is a reserved name is emitted as `event` only. */
  readonly names: EventNames;
  /** Whether each event is followed by its position, which stock clients send back when they reconnect. */
  readonly offsets: boolean;
}

/**
 * Events as packets of Socket.IO v5 in messages of Engine.IO v4: `42/events,["UserWasCreated",{…},"<position>"]`. Each
 * is a WebSocket frame of its own.
 *
 * @see https://socket.io/docs/v4/socket-io-protocol/
 * @see https://socket.io/docs/v4/engine-io-protocol/
 */
export class EventPackets implements Format {
  readonly namespace: string;
  readonly #options: EventPacketsOptions;
  readonly #heads = new BoundedMap<string, Buffer>(KEPT_NAMES);
  readonly #texts = new WeakMap<EventChunk, readonly string[]>();

  constructor(options: EventPacketsOptions) {
    this.namespace = options.namespace;
    this.#options = options;
  }

  size(event: DeliveredEvent): number {
    let size = 0;
    for (const { head, tail } of this.#envelopes(event)) {
      const payload = head.length + event.size + tail.length;
      size += headerSize(payload) + payload;
    }
    return size;
  }

  write(event: DeliveredEvent, target: Buffer, at: number): number {
    let end = at;
    for (const envelope of this.#envelopes(event)) end = writeFrame(envelope, event, target, end);
    return end;
  }

  /** The Engine.IO messages of a chunk, for transports without frames; encoded once for all clients. */
  texts(chunk: EventChunk): readonly string[] {
    let texts = this.#texts.get(chunk);
    if (!texts) {
      texts = chunk.events.flatMap((event) => this.#textsOf(event));
      this.#texts.set(chunk, texts);
    }
    return texts;
  }

  /** A chunk without the first packet of its first event, which the client already has. */
  rest(chunk: EventChunk): { frames: Buffer; texts: readonly string[] } {
    const [event] = chunk.events;
    const [first, second] = event ? this.#envelopes(event) : [];
    if (!event || !first || !second) return { frames: chunk.bytes(this), texts: this.texts(chunk) };
    const payload = first.head.length + event.size + first.tail.length;
    const size = headerSize(payload) + payload;
    return { frames: chunk.bytes(this).subarray(size), texts: this.texts(chunk).slice(1) };
  }

  /** Encodes any other packet of this namespace, as an Engine.IO message without its type. */
  packet(name: string, ...args: readonly unknown[]): string {
    return `2${this.#prefix}${JSON.stringify([name, ...args])}`;
  }

  /** The same, with an argument that is already JSON. */
  packetOf(name: string, json: string): string {
    return `2${this.#prefix}[${JSON.stringify(name)},${json}]`;
  }

  /** Encodes a frame with an ephemeral message. */
  readonly encodeMessage = (message: OutgoingMessage): Buffer => textFrame(`4${this.messageText(message)}`);

  messageText({ name, data }: OutgoingMessage): string {
    return `2${this.#prefix}${JSON.stringify(guardLastArgument(data === undefined ? [name] : [name, data]))}`;
  }

  get #prefix(): string {
    return this.namespace === '/' ? '' : `${this.namespace},`;
  }

  #textsOf(event: DeliveredEvent): string[] {
    const bytes = Buffer.allocUnsafe(event.size);
    event.write(bytes, 0);
    // Without the leading `4`, which Engine.IO adds itself.
    return this.#envelopes(event).map(({ head, tail }) => `${head.toString('utf8', 1)}${bytes}${tail}`);
  }

  #envelopes(event: DeliveredEvent): readonly Envelope[] {
    const { names, offsets } = this.#options;
    const { position } = event;
    const tail = (offset: string) => Buffer.from(offsets ? `,"${offset}"]` : ']', 'latin1');
    const { type } = event.entry;
    if (names === 'event' || RESERVED_NAMES.has(type)) return [{ head: this.#head('event'), tail: tail(position) }];
    if (names === 'type') return [{ head: this.#head(type), tail: tail(position) }];
    return [
      { head: this.#head(type), tail: tail(position + INCOMPLETE_MARK) },
      { head: this.#head('event'), tail: tail(position) },
    ];
  }

  #head(name: string): Buffer {
    let head = this.#heads.get(name);
    if (!head) {
      head = Buffer.from(`42${this.#prefix}[${JSON.stringify(name)},`);
      this.#heads.set(name, head);
    }
    return head;
  }
}

function writeFrame({ head, tail }: Envelope, event: DeliveredEvent, target: Buffer, at: number): number {
  let end = writeTextHeader(target, at, head.length + event.size + tail.length);
  end += head.copy(target, end);
  end = event.write(target, end);
  return end + tail.copy(target, end);
}
