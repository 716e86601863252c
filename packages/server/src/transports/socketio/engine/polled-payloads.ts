import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Intake } from '../../../core/incoming/intake.js';
import {
  answerHeaders,
  failTransport,
  type OnDataRequest,
  postedRequest,
  receivePacket,
  replaceOnDataRequest,
  setPostedRequest,
} from '../../../private-fields/engine-io.js';
import type { EngineSocket } from './engine-writer.js';

type Transport = EngineSocket['transport'];

/**
 * The separator between the packets of a payload.
 * @see https://socket.io/docs/v4/engine-io-protocol/#http-long-polling
 */
const SEPARATOR = '\x1e';

/** Of a body that is too large, up to this multiple of the limit is read and discarded after the answer. */
const DRAINED = 4;

/**
 * The longest delay of the answer to a client that has exceeded its rate: its next pong can come only after the answer.
 */
const LONGEST_WAIT_MS = 10_000;

export interface PolledPayloadsOptions {
  readonly intake: Intake;
  /** The size of the largest payload that the client of a request may post. */
  readonly maxBytesOf: (request: IncomingMessage) => number;
  readonly maxPackets: number;
}

/** A posted payload that is being handled. */
interface Payload {
  readonly text: string;
  /** The start of the next packet; beyond the end of the text if all packets were handled. */
  at: number;
  /** Called once, when all packets are handled or the transport is closed. */
  readonly done: () => void;
}

/**
 * Handles the payloads that long-polling clients post. Engine.IO would decode and handle a payload in one piece, which
 * takes a second of CPU time for 1 MB of small packets. Here each event loop turn handles only a few packets. The
 * answer is delayed until all packets are handled and the client is within its rate again; without the answer, a client
 * posts nothing more.
 */
export class PolledPayloads {
  readonly #options: PolledPayloadsOptions;
  /** The token bucket states of clients that posted recently, see `Rate`. */
  readonly #fullAt = new WeakMap<Transport, { packets: number; bytes: number }>();
  /** One function for all clients, called as a method of a transport. */
  readonly #onDataRequest: OnDataRequest<Transport>;

  constructor(options: PolledPayloadsOptions) {
    this.#options = options;
    const take = (transport: Transport, request: IncomingMessage, response: ServerResponse) =>
      this.#take(transport, request, response);
    this.#onDataRequest = function (request, response) {
      take(this, request, response);
    };
  }

  /**
   * Replaces the handler of a transport. Payloads of Engine.IO 3 (`allowEIO3`) have another format and are left to
   * Engine.IO.
   */
  guard(transport: Transport): void {
    if (transport.name === 'polling' && transport.protocol === 4) replaceOnDataRequest(transport, this.#onDataRequest);
  }

  #take(transport: Transport, request: IncomingMessage, response: ServerResponse): void {
    if (postedRequest(transport)) return fail(transport, response, 'data request overlap from client');
    if (request.headers['content-type'] === 'application/octet-stream') {
      return fail(transport, response, 'invalid content');
    }
    // Engine.IO ends this request together with the transport.
    setPostedRequest(transport, request);
    const maxBytes = this.#options.maxBytesOf(request);
    const parts: Buffer[] = [];
    let bytes = 0;
    const cleanUp = () => {
      request.off('data', onData).off('end', onEnd).off('close', onClose);
      setPostedRequest(transport, null);
    };
    const onClose = () => {
      cleanUp();
      failTransport(transport, 'data request connection closed prematurely');
    };
    const onData = (part: Buffer) => {
      bytes += part.length;
      if (bytes > maxBytes) {
        cleanUp();
        return refuseTooLarge(transport, request, response, DRAINED * maxBytes);
      }
      parts.push(part);
    };
    const onEnd = () => {
      request.off('close', onClose);
      const text = Buffer.concat(parts, bytes).toString();
      if (this.#hasTooMany(text)) {
        cleanUp();
        answer(transport, request, response, 413);
        return failTransport(transport, 'too many packets in one payload');
      }
      const done = () => {
        cleanUp();
        answer(transport, request, response, 200);
      };
      this.#begin(transport, { text, at: 0, done }, bytes);
    };
    request.on('data', onData).on('end', onEnd).on('close', onClose);
  }

  #begin(transport: Transport, payload: Payload, bytes: number): void {
    const { intake } = this.#options;
    const fullAt = this.#fullAt.get(transport) ?? { packets: 0, bytes: 0 };
    this.#fullAt.set(transport, fullAt);
    fullAt.bytes = intake.bytes.take(fullAt.bytes, bytes, intake.clock.now());
    if (intake.turn.isFree) this.#handle(transport, payload);
    else intake.turn.wait(() => this.#handle(transport, payload));
  }

  /** Handles as many packets as this turn admits; the rest waits for a later turn. */
  #handle(transport: Transport, payload: Payload): void {
    const { turn } = this.#options.intake;
    let mayGoOn = true;
    while (mayGoOn && payload.at <= payload.text.length && isOpen(transport)) {
      const end = payload.text.indexOf(SEPARATOR, payload.at);
      const packet = payload.text.slice(payload.at, end === -1 ? undefined : end);
      payload.at += packet.length + 1;
      turn.run(() => receivePacket(transport, packet));
      this.#count(transport);
      mayGoOn = turn.mayGoOn(transport, packet.length);
    }
    if (payload.at <= payload.text.length && isOpen(transport)) turn.wait(() => this.#handle(transport, payload));
    else this.#finish(transport, payload);
  }

  #count(transport: Transport): void {
    const { frames, clock } = this.#options.intake;
    const fullAt = this.#fullAt.get(transport);
    if (fullAt) fullAt.packets = frames.take(fullAt.packets, 1, clock.now());
  }

  #finish(transport: Transport, { done }: Payload): void {
    const { frames, bytes, clock } = this.#options.intake;
    const fullAt = this.#fullAt.get(transport) ?? { packets: 0, bytes: 0 };
    const now = clock.now();
    const waitMs = Math.max(frames.waitMs(fullAt.packets, now), bytes.waitMs(fullAt.bytes, now));
    if (waitMs === 0 || !isOpen(transport)) done();
    else clock.after(Math.min(waitMs, LONGEST_WAIT_MS), done);
  }

  /** Stops searching at the limit. */
  #hasTooMany(text: string): boolean {
    let packets = 1;
    for (let at = text.indexOf(SEPARATOR); at !== -1; at = text.indexOf(SEPARATOR, at + 1)) {
      packets += 1;
      if (packets > this.#options.maxPackets) return true;
    }
    return false;
  }
}

function isOpen(transport: Transport): boolean {
  return transport.readyState === 'open';
}

function fail(transport: Transport, response: ServerResponse, why: string): void {
  failTransport(transport, why);
  response.writeHead(400).end();
}

/**
 * Answers 413 at once, and ends the connection when the rest of the body has arrived. A client that is cut off while it
 * sends would get a connection error instead of the answer.
 */
function refuseTooLarge(
  transport: Transport,
  request: IncomingMessage,
  response: ServerResponse,
  mostBytes: number,
): void {
  request.resume();
  if (response.destroyed || response.headersSent) return;
  begin(transport, request, response, 413);
  response.flushHeaders();
  let bytes = 0;
  request.on('data', (part: Buffer) => {
    bytes += part.length;
    if (bytes > mostBytes) response.end();
  });
  for (const event of ['end', 'close']) request.once(event, () => response.end());
}

function answer(transport: Transport, request: IncomingMessage, response: ServerResponse, status: number): void {
  if (response.destroyed || response.headersSent) return;
  begin(transport, request, response, status);
  response.end(status === 200 ? 'ok' : undefined);
}

function begin(transport: Transport, request: IncomingMessage, response: ServerResponse, status: number): void {
  // Not text/plain, for which old browsers open a download dialog.
  const own =
    status === 200
      ? { 'Content-Type': 'text/html', 'Content-Length': '2' }
      : { Connection: 'close', 'Content-Length': '0' };
  response.writeHead(status, { ...answerHeaders(transport, request, own) });
}
