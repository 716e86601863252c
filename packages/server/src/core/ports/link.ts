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
import type { Message } from '../broadcasts/message.js';
import type { TransportName } from '../connections/connection.js';
import type { Chunk } from '../delivery/chunk.js';

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
 * What a transport gives the core for one connection: a way out. Nothing here waits and nothing is kept for later: what is
 * handed over is written at once, and whoever finds the link full comes back when the connection says that it drained. A method that
 * throws costs this connection its subscriptions, and no other connection anything.
 */
export interface Link {
  readonly transport: TransportName;
  /** True where more than `maxBufferedBytes` wait to be taken by the client. */
  readonly full: boolean;
  /** Bytes that wait to be taken by the client. */
  readonly bufferedBytes: number;
  /** Bytes that the operating system has taken so far: it grows as long as the client reads. */
  readonly takenBytes: number;
  events(id: RequestId, chunk: Chunk): void;
  /**
   * What is written from now on may wait for {@link Link.release}, to go out in one piece: several subscriptions of a connection would
   * else cost it several writes for each flush. Absent where there is only ever one.
   */
  hold?(): void;
  release?(): void;
  /** @param rows a JSON array */
  snapshot(id: RequestId, rows: string, more: boolean): void;
  control(frame: ControlFrame): void;
  /** @returns false where it was not written, because the client takes too little */
  message(message: Message): boolean;
  /** Whether to go on reading what the client sends. */
  setReading(reading: boolean): void;
  /** Asks the client for a sign of life; false where this transport has no way to ask. */
  ping(): boolean;
  /** Says goodbye and closes; what waits is still sent where the client reads on for a moment. */
  close(code: CloseCode, reason?: string): void;
}
