import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocketServer as Engine, ServerOptions, WebSocket } from 'ws';
import type { Intake } from '../../../core/incoming/intake.js';
import { PacedSocket } from '../../sockets/paced-socket.js';
import { WebSocketServer } from '../../sockets/ws.js';

type Admit = (client: WebSocket, request: IncomingMessage) => void;

/**
 * The WebSocket server for the `wsEngine` option of Engine.IO. Packets are read only as fast as the intake admits them,
 * as on all other transports.
 *
 * @param maxBytesOf the size of the largest packet of the client that sent the request
 */
export function pacedEngine(
  intake: Intake,
  maxBytesOf: (request: IncomingMessage) => number,
): new (
  options?: ServerOptions,
) => Engine {
  return class extends WebSocketServer {
    constructor(options?: ServerOptions) {
      super({ ...options, WebSocket: PacedSocket });
    }

    override handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, admit: Admit): void {
      super.handleUpgrade(request, socket, head, (client, from) => {
        if (client instanceof PacedSocket) client.pace(intake, maxBytesOf(request));
        admit(client, from);
      });
    }
  };
}
