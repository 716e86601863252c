import { EventEmitter } from 'node:events';
import type { Socket } from 'socket.io';
import { CLOSE_TIMEOUT_MS } from '../../sockets/closing.js';
import { shared } from '../../sockets/shared-texts.js';

/**
 * Gives back what Socket.IO and Engine.IO keep for a client as long as it lives and never need again. It looks at their own fields, and leaves
 * alone what does not stand there.
 */
export function slim(socket: Socket): void {
  const { conn, client, handshake } = socket;
  // A text of sixty letters that is the same for all who come in one second.
  handshake.time = shared(handshake.time);
  fit(socket, '_anyListeners');
  fit(conn, 'cleanupFn');
  fit(Reflect.get(Object(Reflect.get(client, 'decoder')), '_callbacks'), '$decoded');
  const { transport } = conn;
  if (transport.name !== 'websocket') return;
  // Only the answers to polls have headers.
  transport.removeAllListeners('headers');
  const webSocket: unknown = Reflect.get(transport, 'socket');
  if (webSocket instanceof EventEmitter) dropListener(webSocket, 'error', 'onUpgradeError');
}

/** Who polls no more is told of the end by nobody: Engine.IO would keep its transport, and its first request, for half a minute more. */
export function forgetSoon({ transport }: Socket['conn']): void {
  if (transport.name === 'polling') Reflect.set(transport, 'closeTimeout', CLOSE_TIMEOUT_MS);
}

/** Of the time before there was a transport, which listens itself. */
function dropListener(emitter: EventEmitter, event: string, name: string): void {
  const listeners = emitter.listeners(event);
  const listener = listeners.find((candidate) => candidate.name === name);
  if (listeners.length > 1 && isListener(listener)) emitter.off(event, listener);
}

function isListener(value: unknown): value is () => void {
  return typeof value === 'function';
}

/** V8 keeps places for sixteen more in an array that was pushed to, as long as it lives. */
function fit(owner: unknown, name: string): void {
  if (typeof owner !== 'object' || owner === null) return;
  const list: unknown = Reflect.get(owner, name);
  if (Array.isArray(list)) Reflect.set(owner, name, list.slice());
}
