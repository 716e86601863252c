import type { PregonEvent } from '@pregon/protocol';
import type { LogEntry } from './log-entry.js';

/** An event on its way to connections. Its JSON text is encoded once for all of them. */
export interface DeliveredEvent {
  readonly entry: LogEntry;
  readonly offset: number;
  /** The position with which a client resumes after this event. ASCII, at most 40 characters. */
  readonly position: string;
  /** Bytes of the JSON text, position included. */
  readonly size: number;
  /** Writes the JSON text in UTF-8, compact and without line breaks. @returns the offset in `target` where it ends */
  write(target: Buffer, at: number): number;
  /** The event as a new object. */
  parse(): PregonEvent;
}

/**
 * How a transport frames an event. Use one object for all connections: it is the cache key of {@link EventChunk.bytes}.
 */
export interface Format {
  /** The exact number of bytes that {@link Format.write} writes. */
  size(event: DeliveredEvent): number;
  /** Writes the framed event. @returns the offset in `target` where it ends */
  write(event: DeliveredEvent, target: Buffer, at: number): number;
  /**
   * Frames all events of a chunk together, if the format supports that. Returns undefined if framing them one by one is
   * better.
   *
   * @param takers the approximate number of connections that get the chunk
   */
  together?(events: readonly DeliveredEvent[], takers: number): Buffer | undefined;
}

/**
 * The events that a subscription gets at once, in order and without gaps. All subscriptions at the same point that
 * select the same events get the same chunk, and all their connections get the same bytes.
 */
export interface EventChunk {
  readonly events: readonly DeliveredEvent[];
  /** The offset where the chunk ends; no event between its last event and this offset matched. */
  readonly through: number;
  /** The approximate number of subscriptions that get the chunk. */
  readonly takers: number;
  /** All events in a format, encoded once. Do not change the buffer. */
  bytes(format: Format): Buffer;
}

/** An ephemeral message to one or more connections. */
export interface OutgoingMessage {
  readonly name: string;
  /** Text and bytes are sent unchanged if the transport supports both; other data is sent as JSON. */
  readonly data: unknown;
  /** The data as a JSON value: bytes are base64 text. */
  readonly jsonData: unknown;
  /** The bytes that `encode` returns, cached for all connections that pass the same function. */
  encoded(encode: (message: OutgoingMessage) => Buffer): Buffer;
}
