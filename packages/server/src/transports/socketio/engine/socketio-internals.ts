import type { Socket } from 'socket.io';
import { dropUpgradeListener, fitClient, limitClosing } from '../../../private-fields/engine-io.js';
import { fitSocket } from '../../../private-fields/socket-io.js';
import { CLOSE_TIMEOUT_MS } from '../../sockets/closing.js';
import { intern } from '../../sockets/string-interning.js';

/** Gives back what Socket.IO and Engine.IO keep for a client as long as it lives and never need again. */
export function releaseUnusedFields(socket: Socket): void {
  const { conn, handshake } = socket;
  // A text of sixty letters that is the same for all who come in one second.
  handshake.time = intern(handshake.time);
  fitSocket(socket);
  fitClient(conn);
  const { transport } = conn;
  if (transport.name !== 'websocket') return;
  // Only the answers to polls have headers.
  transport.removeAllListeners('headers');
  dropUpgradeListener(transport);
}

/** Nobody tells of the end of a client that polls no more. */
export function limitPollingClose({ transport }: Socket['conn']): void {
  if (transport.name === 'polling') limitClosing(transport, CLOSE_TIMEOUT_MS);
}
