import { createServer, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { fieldOf, replaceField } from './field.js';

/**
 * The listener with which Node.js itself reads a new connection of an HTTP server; the same function for all servers.
 */
const [readRequests] = createServer().listeners('connection');

/**
 * The response that is being sent on a connection. If a Node.js release hides it, two pipelined responses may be sent
 * in the wrong order.
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
 * @returns false if Node.js has no such listener; the caller must then end the connection
 */
export function readAnew(server: object, socket: Duplex, read: unknown = readRequests): boolean {
  if (typeof read !== 'function') return false;
  Reflect.apply(read, server, [socket]);
  return true;
}

/**
 * The function that decides for each request whether it is an upgrade, since Node.js 24.9; undefined in earlier
 * releases.
 */
export function upgradeDecision(server: object): unknown {
  return fieldOf(server, 'shouldUpgradeCallback');
}

/** @returns whether the server uses such a function */
export function replaceUpgradeDecision(server: object, decide: unknown): boolean {
  return replaceField(server, 'shouldUpgradeCallback', decide);
}
