import { createServer, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { fieldOf, replaceField } from './field.js';

/** What Node.js itself does with a new connection of an HTTP server; the same function for all servers. */
const [readRequests] = createServer().listeners('connection');

/**
 * The response that a connection is being sent. If Node.js no longer says which one that is, two pipelined answers may change places.
 *
 * @see docs/decisions/0012-private-fields.md
 */
export function answerUnderWay(socket: Duplex): ServerResponse | undefined {
  const answer = fieldOf(socket, '_httpMessage');
  return answer instanceof ServerResponse && !answer.closed ? answer : undefined;
}

/**
 * Lets a server read a connection as if it had just been accepted.
 *
 * @returns false if Node.js no longer listens for its own connections; then the caller has to end this one
 */
export function readAnew(server: object, socket: Duplex, read: unknown = readRequests): boolean {
  if (typeof read !== 'function') return false;
  Reflect.apply(read, server, [socket]);
  return true;
}

/** Since Node.js 24.9 a server asks this function for each request whether to treat it as an upgrade; undefined in earlier releases. */
export function upgradeDecision(server: object): unknown {
  return fieldOf(server, 'shouldUpgradeCallback');
}

/** @returns whether the server asks it */
export function replaceUpgradeDecision(server: object, decide: unknown): boolean {
  return replaceField(server, 'shouldUpgradeCallback', decide);
}
