import type { Server } from 'socket.io';

/** Events of which nothing is said: whoever handles one has to look at what came. */
export interface UnknownEvents {
  [event: string]: (...args: unknown[]) => void;
}

/**
 * The events of a server of Socket.IO by name, as functions of their arguments, the last of which may be an acknowledgement.
 *
 * @see https://socket.io/docs/v4/typescript/
 */
export interface SocketIoTypes {
  /** What clients emit. */
  clientEvents?: object;
  /** What is emitted to clients. */
  serverEvents?: object;
  /** Between gateways: `serverSideEmit`. */
  gatewayEvents?: object;
  /** What is kept as `socket.data`. @default anything by name, of which nothing is said */
  data?: unknown;
}

/** {@link SocketIoTypes} without any other member, so that a misspelt member is an error instead of being ignored. */
export type OnlySocketIoTypes<T> = SocketIoTypes & { readonly [Name in Exclude<keyof T, keyof SocketIoTypes>]: never };

/** The server of Socket.IO with the events of the application. */
export type SocketIo<T extends OnlySocketIoTypes<T> = SocketIoTypes> = Server<
  EventsOf<T['clientEvents']>,
  EventsOf<T['serverEvents']>,
  EventsOf<T['gatewayEvents']>,
  DataOf<T['data']>
>;

type EventsOf<T> = [T] extends [object] ? { [Name in keyof T]: T[Name] } : UnknownEvents;

type DataOf<T> = unknown extends T ? Record<string, unknown> : T;
