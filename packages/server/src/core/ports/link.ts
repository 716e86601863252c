import type {
  AckFrame,
  CheckpointFrame,
  CloseCode,
  DrainingFrame,
  ErrorFrame,
  PongFrame,
  RequestId,
  ResetFrame,
  SubscribedFrame,
  UnsubscribedFrame,
  WelcomeFrame,
} from '@pregon/protocol';
import type { TransportName } from '../connections/connection.js';
import type { EventChunk, OutgoingMessage } from './delivery.js';

/** The control frames that need no care; events and snapshots are handed over encoded. */
export type ControlFrame =
  | WelcomeFrame
  | SubscribedFrame
  | UnsubscribedFrame
  | ResetFrame
  | CheckpointFrame
  | AckFrame
  | ErrorFrame
  | DrainingFrame
  | PongFrame;

/**
 * Where a subscription writes: a client, or a subscriber in this process. Nothing here waits and nothing is kept for later: what is
 * handed over is written at once, and whoever finds the sink full comes back when it has drained. A method that throws costs this
 * connection its subscriptions, and no other connection anything.
 */
export interface Sink {
  /** True if more waits than its limit allows. */
  readonly full: boolean;
  events(id: RequestId, chunk: EventChunk): void;
  control(frame: ControlFrame): void;
  /**
   * Part of a snapshot. Absent if there is no way to write one: then nobody asks for it.
   *
   * @param rows a JSON array
   * @param more false with the last part
   */
  snapshot?(id: RequestId, rows: string, more: boolean): void;
  /**
   * What is written from now on may wait for {@link Sink.release}, to go out in one piece: several subscriptions of a connection would
   * else cost it several writes for each flush. Absent if there is only ever one.
   */
  hold?(): void;
  release?(): void;
}

/** What a transport gives the core for one connection: a way out to its client, and what the core has to know of it. */
export interface Link extends Sink {
  readonly transport: TransportName;
  /** True if more than `maxBufferedBytes` wait to be taken by the client. */
  readonly full: boolean;
  /** Bytes that wait to be taken by the client. */
  readonly bufferedBytes: number;
  /** Bytes that the operating system has taken so far: it grows as long as the client reads. */
  readonly takenBytes: number;
  /** @returns false if it was not written, because the client takes too little */
  message(message: OutgoingMessage): boolean;
  /** Whether to go on reading what the client sends. Absent if the transport reads nothing, or must read on. */
  setReading?(reading: boolean): void;
  /** Asks the client for a sign of life, once in `heartbeatMs`. @returns whether the client has to answer */
  ping(): boolean;
  /** Says goodbye and closes; what waits is still sent if the client reads on for a moment. */
  close(code: CloseCode, reason?: string): void;
}
