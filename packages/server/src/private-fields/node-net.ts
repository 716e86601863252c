import type { ChildProcess } from 'node:child_process';
import type { EventEmitter } from 'node:events';
import { Server, Socket } from 'node:net';
import { fieldOf, replaceField } from './field.js';

/** A connection of the operating system, below a Node.js socket. */
export interface Handle {
  close(): void;
}

/**
 * Drops the cached peer address of a socket, about 90 bytes. Node.js caches it at the first access, and looks it up
 * again at the next one.
 *
 * @returns whether a cached address was found
 * @see docs/decisions/0012-private-fields.md
 */
export function forgetPeerName(socket: Socket): boolean {
  return fieldOf(socket, '_peername') !== undefined && replaceField(socket, '_peername', undefined);
}

/**
 * Frees the listener table of an emitter without listeners, about 200 bytes. The emitter creates a new one for the next
 * listener.
 *
 * @returns whether a table was freed
 */
export function forgetListenerTable(emitter: Pick<EventEmitter, 'eventNames'>): boolean {
  return emitter.eventNames().length === 0 && replaceField(emitter, '_events', undefined);
}

/**
 * The handle of a socket; undefined if it cannot be found. It outlives the socket if the socket is sent to another
 * process.
 */
export function handleOf(socket: Socket): Handle | undefined {
  const handle = fieldOf(socket, '_handle');
  return isHandle(handle) ? handle : undefined;
}

/**
 * The last connection that was sent to a worker process, for each port. The cluster module keeps it open until the
 * worker has confirmed it, and sends the next one only then. If the worker is killed in between, the cluster module
 * never closes the connection, and its client waits for a response for ever. If a Node.js release distributes
 * connections in another way, the map stays empty.
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
