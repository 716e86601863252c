import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { fieldOf, fitArray, replaceField } from './field.js';
import { limitMessages, socketOf } from './ws.js';

/** Handles a request in which a long-polling client sends packets; called as a method of the client's transport. */
export type OnDataRequest<T extends object> = (this: T, request: IncomingMessage, response: ServerResponse) => void;

/** The methods of a transport that our own handling of posted payloads needs. */
const NEEDED_METHODS = ['onDataRequest', 'onPacket', 'onClose', 'onError', 'headers'];

/**
 * The socket of a WebSocket transport; undefined if it cannot be found.
 *
 * @see docs/decisions/0012-private-fields.md
 */
export function carrierOf(transport: object): Socket | undefined {
  return socketOf(fieldOf(transport, 'socket'));
}

/** Limits the size of later frames of a WebSocket transport. @returns false for another transport */
export function limitFrames(transport: object, maxBytes: number): boolean {
  return limitMessages(fieldOf(transport, 'socket'), maxBytes);
}

/** @returns whether Engine.IO has a client with this id; always false if its client table cannot be found */
export function knowsClient(engine: object, sid: string): boolean {
  return Object.hasOwn(Object(fieldOf(engine, 'clients')), sid);
}

/** @returns the request with which a client connected; undefined if it cannot be found */
export function firstRequestOf(engine: object, sid: string): object | undefined {
  if (!knowsClient(engine, sid)) return undefined;
  const request = fieldOf(fieldOf(fieldOf(engine, 'clients'), sid), 'request');
  return typeof request === 'object' && request !== null ? request : undefined;
}

/**
 * Limits how long a closing long-polling transport waits for the next poll, which tells the client of the close.
 * Without this, Engine.IO keeps the transport and its first request for half a minute.
 */
export function limitClosing(transport: object, closeTimeoutMs: number): boolean {
  return replaceField(transport, 'closeTimeout', closeTimeoutMs);
}

/** Frees the unused capacity of an array that an Engine.IO client keeps for its whole life. */
export function fitClient(conn: object): boolean {
  return fitArray(conn, 'cleanupFn');
}

/**
 * Removes the error listener that Engine.IO adds to a WebSocket before its transport exists; the transport adds its
 * own.
 *
 * @returns whether the listener was found
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
 * Replaces the handler that decodes and handles a posted payload in one piece by our own.
 *
 * @returns false if a method that our handler calls is missing: Engine.IO then keeps its own handler
 */
export function replaceOnDataRequest<T extends object>(transport: T, onDataRequest: OnDataRequest<T>): boolean {
  const isComplete = NEEDED_METHODS.every((name) => typeof fieldOf(transport, name) === 'function');
  if (!isComplete || typeof decoderOf(transport) !== 'function') return false;
  return replaceField(transport, 'onDataRequest', onDataRequest);
}

/** The posted request that a transport is reading. Engine.IO ends it together with the transport. */
export function postedRequest(transport: object): unknown {
  return fieldOf(transport, 'dataReq');
}

/** Sets the field without a check: a transport does not have it before its first posted request. */
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

/** The headers of a response, including those that Engine.IO and the application add. */
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
