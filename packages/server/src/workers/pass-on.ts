import { type Agent, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { type Duplex, pipeline } from 'node:stream';
import { guard } from '../transports/sockets/guarded-socket.js';
import { headersFromOwner, headersToOwner } from './private-socket.js';

export interface Owner {
  /** The path of the owner's private socket. */
  readonly path: string;
  /** Called if the owner cannot be reached, or ends before it answers. The response is still unsent. */
  readonly onGone: () => void;
}

/** Forwards a request to the owner of its session. Both directions are streamed, and end if the client disconnects. */
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
    // An owner may answer before it has read the whole body, then close. What it has answered is still sent on.
    if (!isAnswered && !response.closed) onGone();
  });
  response.once('close', () => {
    if (!response.writableFinished || !onwards.writableFinished) onwards.destroy();
    // Discard the unread rest of the body, because it precedes the next request on the connection.
    request.unpipe(onwards);
    request.resume();
  });
  request.pipe(onwards);
}

/**
 * Pipes an upgraded connection through this process for its whole life. TLS needs this, because its state cannot be
 * handed to another process.
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

/** The request line and headers of a request, as they came over the wire. */
export function headOf({ method, url, httpVersion }: IncomingMessage, headers: readonly string[]): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let at = 0; at + 1 < headers.length; at += 2) lines.push(`${headers[at]}: ${headers[at + 1]}`);
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}
