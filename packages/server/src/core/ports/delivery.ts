import type { PregonEvent } from '@pregon/protocol';
import type { LogEntry } from './log-entry.js';

/** An event on its way to connections. Its JSON text is encoded once, for whoever and however many it goes to. */
export interface DeliveredEvent {
  readonly entry: LogEntry;
  readonly offset: number;
  /** What a client presents to resume after this event. ASCII, at most 40 characters. */
  readonly position: string;
  /** Bytes of the JSON text, with its position. */
  readonly size: number;
  /** Writes the JSON text, compact and without a line break, in UTF-8. @returns where it ends */
  write(target: Buffer, at: number): number;
  /** The event as an object, made anew for each call. */
  parse(): PregonEvent;
}

/** How a transport frames an event. One object for all connections: bytes are kept by it, see {@link EventChunk.bytes}. */
export interface Format {
  /** Exactly as many bytes as {@link Format.write} writes. */
  size(event: DeliveredEvent): number;
  /** Writes the framed event. @returns where it ends */
  write(event: DeliveredEvent, target: Buffer, at: number): number;
  /**
   * All events of a chunk as one, if the format has that; undefined if they had better go one by one.
   *
   * @param takers about how many connections get the chunk
   */
  together?(events: readonly DeliveredEvent[], takers: number): Buffer | undefined;
}

/**
 * The events that a subscription gets at once, in order, with nothing missing. All subscriptions that stand at the same point and want
 * the same events get the same chunk, and all their connections the same bytes.
 */
export interface EventChunk {
  readonly events: readonly DeliveredEvent[];
  /** The offset up to which it goes; no event between its last one and that one matched. */
  readonly through: number;
  /** About how many subscriptions get it. */
  readonly takers: number;
  /** All its events in a format, made once, in a buffer that must not be changed. */
  bytes(format: Format): Buffer;
}

/** An ephemeral message to one or many connections. */
export interface OutgoingMessage {
  readonly name: string;
  /** Text and bytes go as they are if the transport has both; anything else as JSON. */
  readonly data: unknown;
  /** The data as a value that JSON can hold: bytes as base64 text. */
  readonly jsonData: unknown;
  /** The bytes that `encode` makes of it, made once for all connections that pass the same function. */
  encoded(encode: (message: OutgoingMessage) => Buffer): Buffer;
}
