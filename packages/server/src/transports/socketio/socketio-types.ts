import type { Server } from 'socket.io';

/** Events without known types: a handler must check its arguments. */
export interface UnknownEvents {
  [event: string]: (...args: unknown[]) => void;
}

/**
 * The events of a Socket.IO server by name, as functions of their arguments. The last argument may be an
 * acknowledgement.
 *
 * @see https://socket.io/docs/v4/typescript/
 */
export interface SocketIoTypes {
  /** Events that clients emit. */
  clientEvents?: object;
  /** Events that are emitted to clients. */
  serverEvents?: object;
  /** Events between gateways: `serverSideEmit`. */
  gatewayEvents?: object;
  /** The type of `socket.data`. @default an object with unknown members */
  data?: unknown;
}

/** {@link SocketIoTypes} without further members, so that a misspelt member is an error instead of being ignored. */
export type OnlySocketIoTypes<T> = SocketIoTypes & { readonly [Name in Exclude<keyof T, keyof SocketIoTypes>]: never };

/** The Socket.IO server with the events of the application. */
export type SocketIo<T extends OnlySocketIoTypes<T> = SocketIoTypes> = Server<
  EventsOf<T['clientEvents']>,
  EventsOf<T['serverEvents']>,
  EventsOf<T['gatewayEvents']>,
  DataOf<T['data']>
>;

type EventsOf<T> = [T] extends [object] ? { [Name in keyof T]: T[Name] } : UnknownEvents;

type DataOf<T> = unknown extends T ? Record<string, unknown> : T;
