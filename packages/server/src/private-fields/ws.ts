import { Socket } from 'node:net';
import { Writable } from 'node:stream';
import { fieldOf, replaceField } from './field.js';

/** The parts of the receiver of `ws` that hold what was read and not parsed. */
interface Receiver {
  _buffers: Buffer[];
  _bufferedBytes: number;
  _maxPayload: number;
}

/** As `ws` calls it when a compressed message, or a part of one, has come. */
export interface MessageExtension {
  decompress(part: Buffer, last: boolean, callback: (error: Error | null, message?: Buffer) => void): void;
  cleanup(): void;
}

/**
 * The socket that carries a WebSocket of `ws`; undefined if it cannot be found.
 *
 * @see docs/decisions/0012-private-fields.md
 */
export function socketOf(webSocket: unknown): Socket | undefined {
  const socket = fieldOf(webSocket, '_socket');
  return socket instanceof Socket ? socket : undefined;
}

/** The stream that parses what a WebSocket of `ws` receives; undefined if it cannot be found. */
export function receiverStreamOf(webSocket: unknown): Writable | undefined {
  const receiver = fieldOf(webSocket, '_receiver');
  return receiver instanceof Writable ? receiver : undefined;
}

/**
 * Limits the messages that are read from now on. `ws` ends a connection that sends a larger one with 1009.
 *
 * @returns false if the limit that the server was made with goes on to hold
 */
export function limitMessages(webSocket: unknown, maxBytes: number): boolean {
  const receiver = receiverOf(webSocket);
  if (receiver) receiver._maxPayload = maxBytes;
  return receiver !== undefined;
}

/**
 * Hands what `ws` has read and not parsed back to the socket: it waits there as bytes, and an end of the stream waits behind it.
 *
 * @returns false if there is nothing to hand back or no place for it; `ws` then parses what it has
 */
export function putBackUnparsed(webSocket: unknown): boolean {
  const receiver = receiverOf(webSocket);
  const socket = socketOf(webSocket);
  if (!receiver || !socket || receiver._bufferedBytes === 0) return false;
  // Its end was seen: nothing can be put back any more, and what is left goes on being parsed.
  if (socket.readableEnded && !socket.destroyed) return false;
  const buffers = receiver._buffers;
  receiver._buffers = [];
  receiver._bufferedBytes = 0;
  if (!socket.destroyed) for (const buffer of buffers.reverse()) socket.unshift(buffer);
  return true;
}

/**
 * Puts an extension of ours in the place of permessage-deflate, once it was agreed on.
 *
 * @returns false if `ws` goes on to inflate by itself, to the same limit
 */
export function replaceInflation(webSocket: unknown, extension: MessageExtension): boolean {
  return replaceField(fieldOf(webSocket, '_extensions'), 'permessage-deflate', extension);
}

function receiverOf(webSocket: unknown): Receiver | undefined {
  const receiver = fieldOf(webSocket, '_receiver');
  return isReceiver(receiver) ? receiver : undefined;
}

function isReceiver(value: unknown): value is Receiver {
  if (typeof value !== 'object' || value === null) return false;
  return '_buffers' in value && Array.isArray(value._buffers) && '_bufferedBytes' in value && '_maxPayload' in value;
}
