import { type Agent, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { type Duplex, pipeline } from 'node:stream';
import { guard } from '../transports/sockets/guarded-socket.js';
import { headersFromOwner, headersToOwner } from './private-socket.js';

export interface Owner {
  /** The path of its private socket. */
  readonly path: string;
  /** Called where it cannot be reached, or ended before it answered: nothing was answered yet. */
  readonly onGone: () => void;
}

/** Has a request answered by the owner of its session; both directions are streamed, and ended where the client ends. */
export function passOn(
  request: IncomingMessage,
  response: ServerResponse,
  { path, onGone }: Owner,
  agent: Agent,
): void {
  const { method, url } = request;
  const headers = headersToOwner(request, false);
  const onwards = httpRequest({ agent, socketPath: path, method, path: url, headers });
  let isAnswered = false;
  onwards.once('response', (answer) => {
    isAnswered = true;
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, headersFromOwner(answer));
    pipeline(answer, response, () => {});
  });
  onwards.on('error', () => {
    request.unpipe(onwards);
    // An owner may answer before it has read all, and end the connection: its answer goes on as far as it came.
    if (!isAnswered && !response.closed) onGone();
  });
  response.once('close', () => {
    if (!response.writableFinished || !onwards.writableFinished) onwards.destroy();
    // What is left of a body that nobody wanted stands before the next request of the connection.
    request.unpipe(onwards);
    request.resume();
  });
  request.pipe(onwards);
}

/**
 * Pipes an upgraded connection through this process, for as long as it lasts: for TLS, whose state cannot be handed to another
 * process.
 */
export function pipeOn(request: IncomingMessage, stream: Duplex, head: Buffer, { path, onGone }: Owner): void {
  const onwards = connect(path);
  let isConnected = false;
  guard(stream);
  stream.on('error', () => onwards.destroy());
  onwards.once('connect', () => {
    isConnected = true;
    onwards.write(headOf(request, headersToOwner(request, true)));
    onwards.write(head);
    pipeline(stream, onwards, stream, () => {
      stream.destroy();
      onwards.destroy();
    });
  });
  onwards.on('error', () => {
    if (isConnected) stream.destroy();
    else if (!stream.destroyed) onGone();
  });
}

/** A request up to its body, as it came over the wire. */
export function headOf({ method, url, httpVersion }: IncomingMessage, headers: readonly string[]): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let at = 0; at + 1 < headers.length; at += 2) lines.push(`${headers[at]}: ${headers[at + 1]}`);
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}
