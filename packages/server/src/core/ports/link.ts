import type {
  AckFrame,
  AuthorizedFrame,
  CheckpointFrame,
  CloseCode,
  DrainingFrame,
  ErrorFrame,
  ExpiringFrame,
  PongFrame,
  RequestId,
  ResetFrame,
  SubscribedFrame,
  UnsubscribedFrame,
  WelcomeFrame,
} from '@pregon/protocol';
import type { TransportName } from '../connections/connection.js';
import type { EventChunk, OutgoingMessage } from './delivery.js';

/**
 * The frames that a link encodes itself. Events and snapshots are passed to it already encoded. A link drops frames that
 * its clients do not understand: `authorized` and `expiring` are for clients that can show another token.
 */
export type ControlFrame =
  | WelcomeFrame
  | SubscribedFrame
  | UnsubscribedFrame
  | ResetFrame
  | CheckpointFrame
  | AckFrame
  | ErrorFrame
  | DrainingFrame
  | AuthorizedFrame
  | ExpiringFrame
  | PongFrame;

/**
 * The destination of a subscription: a client, or a subscriber in this process. Its methods do not wait and do not
 * buffer: data is written at once. A caller that finds the sink full must continue when the sink has drained. If a
 * method throws, this connection loses its subscriptions; other connections are not affected.
 */
export interface Sink {
  /** True if more data waits than the limit of the sink allows. */
  readonly full: boolean;
  events(id: RequestId, chunk: EventChunk): void;
  control(frame: ControlFrame): void;
  /**
   * Writes a part of a snapshot. Absent if the sink cannot write snapshots: then none is requested.
   *
   * @param rows a JSON array
   * @param more false for the last part
   */
  snapshot?(id: RequestId, rows: string, more: boolean): void;
  /**
   * Lets the sink delay its writes until {@link Sink.release}, and then write them together: otherwise several
   * subscriptions of a connection need several writes for each flush. Absent if the sink has only one subscription.
   */
  hold?(): void;
  release?(): void;
}

/** The transport's side of one connection: writes to the client, and reports the state of the socket. */
export interface Link extends Sink {
  readonly transport: TransportName;
  /**
   * True if the application can write to the client, and read from it, past the connection. Such a client is closed as
   * soon as its rights end, instead of some seconds later.
   */
  readonly isOpenToApplication?: boolean;
  /** True if more than `maxBufferedBytes` wait for the client. */
  readonly full: boolean;
  /** Bytes that wait for the client. */
  readonly bufferedBytes: number;
  /** Bytes that the operating system has taken so far. The number grows while the client reads. */
  readonly takenBytes: number;
  /** @returns false if the message was not written, because the link is full */
  message(message: OutgoingMessage): boolean;
  /** Stops or resumes reading from the client. Absent if the transport reads nothing, or cannot stop. */
  setReading?(reading: boolean): void;
  /** Asks the client for a sign of life, once in `heartbeatMs` milliseconds. @returns whether the client must answer */
  ping(): boolean;
  /**
   * Sends the close code and reason, and closes. Waiting data is still sent if the client reads it within a short time.
   */
  close(code: CloseCode, reason?: string): void;
  /**
   * Drops the data that waits, and ends the connection without a close frame. Absent if {@link Link.close} never sends
   * waiting data.
   */
  discard?(): void;
}
