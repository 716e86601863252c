import { Socket } from 'node:net';
import { Writable } from 'node:stream';
import { fieldOf, replaceField } from './field.js';

/** The fields of a `ws` receiver that hold unparsed bytes and the message limit. */
interface Receiver {
  _buffers: Buffer[];
  _bufferedBytes: number;
  _maxPayload: number;
}

/** The methods that `ws` calls for compressed messages and their parts. */
export interface MessageExtension {
  decompress(part: Buffer, last: boolean, callback: (error: Error | null, message?: Buffer) => void): void;
  cleanup(): void;
}

/**
 * The socket of a `ws` WebSocket; undefined if it cannot be found.
 *
 * @see docs/decisions/0012-private-fields.md
 */
export function socketOf(webSocket: unknown): Socket | undefined {
  const socket = fieldOf(webSocket, '_socket');
  return socket instanceof Socket ? socket : undefined;
}

/** The stream that parses the received bytes of a `ws` WebSocket; undefined if it cannot be found. */
export function receiverStreamOf(webSocket: unknown): Writable | undefined {
  const receiver = fieldOf(webSocket, '_receiver');
  return receiver instanceof Writable ? receiver : undefined;
}

/**
 * Limits the size of later messages. `ws` closes a connection that sends a larger one with code 1009.
 *
 * @returns false if the limit cannot be changed: the limit of the server stays in force
 */
export function limitMessages(webSocket: unknown, maxBytes: number): boolean {
  const receiver = receiverOf(webSocket);
  if (receiver) receiver._maxPayload = maxBytes;
  return receiver !== undefined;
}

/**
 * Puts the bytes that `ws` has read but not parsed back into the socket. They wait there, before the end of the stream.
 *
 * @returns false if there are no such bytes, or they cannot be put back; `ws` then parses them
 */
export function putBackUnparsed(webSocket: unknown): boolean {
  const receiver = receiverOf(webSocket);
  const socket = socketOf(webSocket);
  if (!receiver || !socket || receiver._bufferedBytes === 0) return false;
  // After the end of the stream, no bytes can be put back: `ws` parses the remaining ones.
  if (socket.readableEnded && !socket.destroyed) return false;
  const buffers = receiver._buffers;
  receiver._buffers = [];
  receiver._bufferedBytes = 0;
  if (!socket.destroyed) for (const buffer of buffers.reverse()) socket.unshift(buffer);
  return true;
}

/**
 * Replaces the negotiated permessage-deflate extension by our own.
 *
 * @returns false if the extension cannot be replaced: `ws` then inflates by itself, with the same limit
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
