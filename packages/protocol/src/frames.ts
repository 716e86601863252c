import type { ErrorCode } from './errors.js';
import type { PregonEvent } from './event.js';

/** The WebSocket subprotocol whose frames these are. */
export const SUBPROTOCOL = 'pregon.v1';

/** A number that the client chooses; unique among its open subscriptions and its unanswered sends. */
export type RequestId = number;

/** Where a subscription begins: after a position, or before the first retained event. Absent: live only. */
export type Since = string | 'first';

export interface SubscribeFrame {
  readonly op: 'subscribe';
  readonly id: RequestId;
  /** AMQP topic patterns. @default ['#'] */
  readonly topics?: readonly string[];
  readonly since?: Since;
  /** Ask for the route's snapshot wherever `since` is absent or cannot be served. */
  readonly snapshot?: boolean;
  /** Whether the client understands {@link BatchFrame}, in all subscriptions of the connection. @default false */
  readonly batch?: boolean;
}

export interface UnsubscribeFrame {
  readonly op: 'unsubscribe';
  readonly id: RequestId;
}

export interface SendFrame {
  readonly op: 'send';
  /** With an id, an `ack` or an `error` answers. */
  readonly id?: RequestId;
  readonly name: string;
  readonly data?: unknown;
}

export interface PingFrame {
  readonly op: 'ping';
}

export type ClientFrame = SubscribeFrame | UnsubscribeFrame | SendFrame | PingFrame;

/** The first frame on a connection. */
export interface WelcomeFrame {
  readonly op: 'welcome';
  readonly connection: string;
  /** How often either side shows that it is alive, in milliseconds. */
  readonly heartbeatMs: number;
}

/** The subscription is open: every matching event after `position` follows. */
export interface SubscribedFrame {
  readonly op: 'subscribed';
  readonly id: RequestId;
  readonly position: string;
  /** True where `since` was served: nothing is missing and nothing has to be dropped. */
  readonly recovered: boolean;
  /**
   * About how many events of the log lie between `position` and now, whether they match or not; a `checkpoint` follows when the
   * subscription has come past them. Absent where it is live already.
   */
  readonly behind?: number;
}

export interface UnsubscribedFrame {
  readonly op: 'unsubscribed';
  readonly id: RequestId;
}

/**
 * The event frames that follow belong to this subscription, until the next `events` or `subscribed` frame. Sent only where that
 * changes, so never on a connection with one subscription.
 */
export interface EventsFrame {
  readonly op: 'events';
  readonly id: RequestId;
}

/**
 * Several events, in order, as if each came in a frame of its own. Sent only where the client said that it understands them, and where
 * that takes less: on compressed connections.
 */
export interface BatchFrame {
  readonly op: 'batch';
  readonly events: readonly PregonEvent[];
}

export interface SnapshotFrame {
  readonly op: 'snapshot';
  readonly id: RequestId;
  readonly rows: readonly unknown[];
  readonly more: boolean;
}

/** Why a position cannot be served. */
export type ResetReason = 'truncated' | 'replaced';

export interface ResetFrame {
  readonly op: 'reset';
  readonly id: RequestId;
  readonly reason: ResetReason;
}

/**
 * The subscription stands at `position`: resume from there. Sent now and then where nothing matched, and when one that was `behind`
 * has become live.
 */
export interface CheckpointFrame {
  readonly op: 'checkpoint';
  readonly id: RequestId;
  readonly position: string;
}

/** Ephemeral: from a handler, never logged. */
export interface MessageFrame {
  readonly op: 'message';
  readonly name: string;
  readonly data?: unknown;
}

export interface AckFrame {
  readonly op: 'ack';
  readonly id: RequestId;
  readonly data?: unknown;
}

export interface ErrorFrame {
  readonly op: 'error';
  /** The subscription or send that it answers; absent where the frame had no id that could be read. */
  readonly id?: RequestId;
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  /** With RATE_LIMITED: the client must not ask again before so many milliseconds have passed. */
  readonly retryAfterMs?: number;
}

/** The gateway is going away: come back after so many milliseconds, a number of each connection's own. */
export interface DrainingFrame {
  readonly op: 'draining';
  readonly reconnectInMs: number;
}

export interface PongFrame {
  readonly op: 'pong';
}

export type GatewayFrame =
  | WelcomeFrame
  | SubscribedFrame
  | UnsubscribedFrame
  | EventsFrame
  | BatchFrame
  | SnapshotFrame
  | ResetFrame
  | CheckpointFrame
  | MessageFrame
  | AckFrame
  | ErrorFrame
  | DrainingFrame
  | PongFrame;
