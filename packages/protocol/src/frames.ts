import type { ErrorCode } from './errors.js';
import type { PregonEvent } from './event.js';

/** The WebSocket subprotocol that uses these frames. */
export const SUBPROTOCOL = 'pregon.v1';

/** A number that the client chooses; unique among its open subscriptions and its unanswered sends. */
export type RequestId = number;

/**
 * Where a subscription begins: after a position, or (`'first'`) at the first retained event. If absent, it gets live
 * events only.
 */
export type Since = string | 'first';

export interface SubscribeFrame {
  readonly op: 'subscribe';
  readonly id: RequestId;
  /** AMQP topic patterns. @default ['#'] */
  readonly topics?: readonly string[];
  readonly since?: Since;
  /** Requests the snapshot of the route if `since` is absent or cannot be served. */
  readonly snapshot?: boolean;
  /**
   * The `rights` of the last `subscribed` frame of this subscription. If the connection has other rights, the rows that
   * the client holds are not those that it may see: the gateway sends `reset` and a new snapshot, whatever `since` is.
   */
  readonly rights?: string;
  /**
   * Whether the client understands {@link BatchFrame}; applies to all subscriptions of the connection.
   * @default false
   */
  readonly batch?: boolean;
}

export interface UnsubscribeFrame {
  readonly op: 'unsubscribe';
  readonly id: RequestId;
}

export interface SendFrame {
  readonly op: 'send';
  /** If present, the gateway answers with `ack` or `error`. */
  readonly id?: RequestId;
  readonly name: string;
  readonly data?: unknown;
}

export interface PingFrame {
  readonly op: 'ping';
}

/**
 * Shows a token: signs in, or renews the rights of the same identity. As the first frame it counts like a token in the
 * header of the handshake. `null` signs out.
 */
export interface AuthFrame {
  readonly op: 'auth';
  /** If present, the answer carries it: `authorized` or `error`. */
  readonly id?: RequestId;
  readonly token: string | null;
}

export type ClientFrame = SubscribeFrame | UnsubscribeFrame | SendFrame | PingFrame | AuthFrame;

/** The first frame on a connection. */
export interface WelcomeFrame {
  readonly op: 'welcome';
  readonly connection: string;
  /** The interval in which each side shows that it is alive, in milliseconds. */
  readonly heartbeatMs: number;
}

/** The subscription is open: every matching event after `position` follows. */
export interface SubscribedFrame {
  readonly op: 'subscribed';
  readonly id: RequestId;
  readonly position: string;
  /** True if the gateway could serve `since`: no event is missing, and the client can keep what it has. */
  readonly recovered: boolean;
  /**
   * The same text for all rights under which the snapshot has the same rows. Only with a snapshot, and only if the
   * gateway has rules.
   */
  readonly rights?: string;
  /**
   * The approximate number of events in the log between `position` and now, whether or not they match. A `checkpoint`
   * follows when the subscription has passed them. Absent if the subscription is already live.
   */
  readonly behind?: number;
}

export interface UnsubscribedFrame {
  readonly op: 'unsubscribed';
  readonly id: RequestId;
}

/**
 * The event frames that follow belong to this subscription, until the next `events` or `subscribed` frame. The gateway
 * sends it only if the subscription changes, so never on a connection with one subscription.
 */
export interface EventsFrame {
  readonly op: 'events';
  readonly id: RequestId;
}

/**
 * Several events, in order, as if each came in a frame of its own. The gateway sends it only to clients that understand
 * it, and only if it saves bytes: on compressed connections.
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

/**
 * Why a subscription starts over: the log has dropped the events after its position (`truncated`), is another log
 * (`replaced`), or the rights of the connection have changed, and with them the rows of the snapshot (`rights`).
 */
export type ResetReason = 'truncated' | 'replaced' | 'rights';

export interface ResetFrame {
  readonly op: 'reset';
  readonly id: RequestId;
  readonly reason: ResetReason;
}

/**
 * The subscription has reached `position`: a client can resume from there. The gateway sends it from time to time while
 * no event matches, and when a subscription that was `behind` becomes live.
 */
export interface CheckpointFrame {
  readonly op: 'checkpoint';
  readonly id: RequestId;
  readonly position: string;
}

/** An ephemeral message from a handler; it is never logged. */
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
  /** The id of the subscription or send that failed; absent if the frame had no readable id. */
  readonly id?: RequestId;
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  /** With RATE_LIMITED: the minimum number of milliseconds before the client may ask again. */
  readonly retryAfterMs?: number;
}

/**
 * The gateway is going away. The client must reconnect after this many milliseconds; each connection gets a different
 * number.
 */
export interface DrainingFrame {
  readonly op: 'draining';
  readonly reconnectInMs: number;
}

/** The token of an `auth` frame was accepted. What follows is sent under its rights. */
export interface AuthorizedFrame {
  readonly op: 'authorized';
  readonly id?: RequestId;
  /** The subject of the identity. Absent if the connection is anonymous. */
  readonly sub?: string;
  /** The number of milliseconds after which the identity expires. Absent if it does not. */
  readonly expiresInMs?: number;
}

/** The identity expires soon. The client should send `auth` with a new token. */
export interface ExpiringFrame {
  readonly op: 'expiring';
  readonly inMs: number;
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
  | AuthorizedFrame
  | ExpiringFrame
  | PongFrame;
