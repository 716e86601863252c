import type { ChildProcess } from 'node:child_process';
import type { EventEmitter } from 'node:events';
import { Server, Socket } from 'node:net';
import { fieldOf, replaceField } from './field.js';

/** A connection of the operating system, below Node's sockets. */
export interface Handle {
  close(): void;
}

/**
 * Lets a socket forget its peer's address, about 90 bytes that Node.js keeps after the first question and finds again at the next one.
 *
 * @returns whether an address was kept where it is expected
 * @see docs/decisions/0012-private-fields.md
 */
export function forgetPeerName(socket: Socket): boolean {
  return fieldOf(socket, '_peername') !== undefined && replaceField(socket, '_peername', undefined);
}

/**
 * Gives back the table of an emitter that has no listeners, about 200 bytes. The emitter makes another one for the next listener.
 *
 * @returns whether there was a table to give back
 */
export function forgetListenerTable(emitter: Pick<EventEmitter, 'eventNames'>): boolean {
  return emitter.eventNames().length === 0 && replaceField(emitter, '_events', undefined);
}

/** The handle of a socket, which outlives the socket if that is sent to another process; undefined if it cannot be found. */
export function handleOf(socket: Socket): Handle | undefined {
  const handle = fieldOf(socket, '_handle');
  return isHandle(handle) ? handle : undefined;
}

/**
 * The last connection that was dealt to a worker process, for each port. The cluster module keeps one open until the worker has
 * confirmed it, and deals the next only then. If the worker is killed in between, nobody closes the connection, and its client waits
 * for an answer for ever. If Node.js deals connections in another way, the map stays empty.
 */
export function watchDealt(child: Pick<ChildProcess, 'send'>): ReadonlyMap<unknown, Handle> {
  const dealt = new Map<unknown, Handle>();
  const send = fieldOf(child, 'send');
  if (typeof send !== 'function') return dealt;
  replaceField(child, 'send', (...args: unknown[]) => {
    const [message, handle] = args;
    if (isHandle(handle)) dealt.set(fieldOf(message, 'key') ?? '', handle);
    return Reflect.apply(send, child, args);
  });
  return dealt;
}

function isHandle(value: unknown): value is Handle {
  if (typeof value !== 'object' || value === null || value instanceof Socket || value instanceof Server) return false;
  return typeof fieldOf(value, 'close') === 'function';
}
