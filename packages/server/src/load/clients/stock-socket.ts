import { type ClientOptions, WebSocket } from 'ws';
import { type Failure, failureOf, failureOfClose, failureOfStatus } from '../failure.js';
import type { LoadSocket, SocketEvents, SocketRequest } from './load-socket.js';

/** A WebSocket of the package `ws`, which supports TLS and compression. */
export class StockSocket implements LoadSocket {
  readonly #socket: WebSocket;

  constructor(request: SocketRequest & { readonly compress: boolean }, events: SocketEvents) {
    const { url, subprotocol } = request;
    let failure: Failure | undefined;
    let ended = false;
    const end = (why: Failure) => {
      if (ended) return;
      ended = true;
      events.ended(why);
    };
    this.#socket = new WebSocket(url, subprotocol === undefined ? [] : [subprotocol], optionsOf(request));
    this.#socket.on('open', () => events.opened());
    this.#socket.on('message', (data) => {
      if (Buffer.isBuffer(data)) events.frame(data);
    });
    this.#socket.on('unexpected-response', (sent, { statusCode = 0, statusMessage = '', headers }) => {
      end(failureOfStatus(statusCode, statusMessage, headers['retry-after']));
      sent.destroy();
    });
    this.#socket.on('error', (error) => {
      failure ??= failureOf(error);
    });
    this.#socket.on('close', (code, reason) => {
      // An error after the handshake is a protocol or network error, and more specific than code 1006.
      end(failure ?? failureOfClose(code, reason.toString()));
    });
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  close(): void {
    this.#socket.close(1000);
  }

  terminate(): void {
    this.#socket.terminate();
  }
}

function optionsOf(request: SocketRequest & { readonly compress: boolean }): ClientOptions {
  const { origin, headers, compress, handshakeTimeoutMs } = request;
  return {
    perMessageDeflate: compress,
    handshakeTimeout: handshakeTimeoutMs,
    // Frames are handled as bytes, so validation is not needed.
    skipUTF8Validation: true,
    ...(origin === undefined ? {} : { origin }),
    ...(headers === undefined ? {} : { headers }),
  };
}
