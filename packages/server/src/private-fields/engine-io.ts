import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { fieldOf, fitArray, replaceField } from './field.js';
import { socketOf } from './ws.js';

/** Answers a request by which a client of long polling sends packets; called as a method of the client's transport. */
export type OnDataRequest<T extends object> = (this: T, request: IncomingMessage, response: ServerResponse) => void;

/** All that handling a posted payload in our own way takes of a transport. */
const NEEDED_METHODS = ['onDataRequest', 'onPacket', 'onClose', 'onError', 'headers'];

/**
 * The socket that carries a transport by WebSocket; undefined if it cannot be found.
 *
 * @see docs/decisions/0012-private-fields.md
 */
export function carrierOf(transport: object): Socket | undefined {
  return socketOf(fieldOf(transport, 'socket'));
}

/** @returns whether this is the id of a client that Engine.IO knows; false for all if its table cannot be found */
export function knowsClient(engine: object, sid: string): boolean {
  return Object.hasOwn(Object(fieldOf(engine, 'clients')), sid);
}

/**
 * Lets a transport of long polling wait no longer than this for the poll that is told of the end. Engine.IO keeps the transport and its
 * first request for half a minute by itself.
 */
export function limitClosing(transport: object, closeTimeoutMs: number): boolean {
  return replaceField(transport, 'closeTimeout', closeTimeoutMs);
}

/** Gives back unused places of what a client of Engine.IO keeps as long as it lives. */
export function fitClient(conn: object): boolean {
  return fitArray(conn, 'cleanupFn');
}

/**
 * Removes the listener for errors that Engine.IO adds while a WebSocket has no transport; the transport has its own.
 *
 * @returns whether it was there
 */
export function dropUpgradeListener(transport: object): boolean {
  const webSocket = fieldOf(transport, 'socket');
  if (!(webSocket instanceof EventEmitter)) return false;
  const listeners = webSocket.listeners('error');
  const listener = listeners.find((candidate) => candidate.name === 'onUpgradeError');
  if (listeners.length < 2 || !isListener(listener)) return false;
  webSocket.off('error', listener);
  return true;
}

/**
 * Puts a handler of ours in the place of the one that decodes and handles a posted payload in one piece.
 *
 * @returns false if one of the methods that such a handler calls is missing: Engine.IO then goes on to handle payloads by itself
 */
export function replaceOnDataRequest<T extends object>(transport: T, onDataRequest: OnDataRequest<T>): boolean {
  const isComplete = NEEDED_METHODS.every((name) => typeof fieldOf(transport, name) === 'function');
  if (!isComplete || typeof decoderOf(transport) !== 'function') return false;
  return replaceField(transport, 'onDataRequest', onDataRequest);
}

/** The posted request that a transport is reading. Engine.IO ends it with the transport. */
export function postedRequest(transport: object): unknown {
  return fieldOf(transport, 'dataReq');
}

/** A transport that was never posted to has no such field yet. */
export function setPostedRequest(transport: object, request: IncomingMessage | null): void {
  Reflect.set(transport, 'dataReq', request);
}

/** Handles one packet, as Engine.IO does with each packet of a payload. */
export function receivePacket(transport: object, text: string): void {
  const decode = decoderOf(transport);
  const packet: unknown = typeof decode === 'function' ? decode(text) : undefined;
  if (fieldOf(packet, 'type') === 'close') call(transport, 'onClose');
  else call(transport, 'onPacket', packet);
}

/** Ends the transport with an error. */
export function failTransport(transport: object, why: string): void {
  call(transport, 'onError', why);
}

/** The headers of an answer, with those that Engine.IO and its users add. */
export function answerHeaders(transport: object, request: IncomingMessage, own: object): object {
  return { ...own, ...Object(call(transport, 'headers', request, own)) };
}

function decoderOf(transport: object): unknown {
  return fieldOf(fieldOf(transport, 'parser'), 'decodePacket');
}

function call(transport: object, name: string, ...args: unknown[]): unknown {
  const method = fieldOf(transport, name);
  return typeof method === 'function' ? Reflect.apply(method, transport, args) : undefined;
}

function isListener(value: unknown): value is () => void {
  return typeof value === 'function';
}
