import type { Socket } from 'socket.io';
import { dropUpgradeListener, fitClient, limitClosing } from '../../../private-fields/engine-io.js';
import { fitSocket } from '../../../private-fields/socket-io.js';
import { CLOSE_TIMEOUT_MS } from '../../sockets/closing.js';
import { intern } from '../../sockets/string-interning.js';

/** Frees fields that Socket.IO and Engine.IO keep for the whole life of a client but never use again. */
export function releaseUnusedFields(socket: Socket): void {
  const { conn, handshake } = socket;
  // A string of sixty characters that is equal for all clients that connect within the same second.
  handshake.time = intern(handshake.time);
  fitSocket(socket);
  fitClient(conn);
  const { transport } = conn;
  if (transport.name !== 'websocket') return;
  // Only answers to polls have headers.
  transport.removeAllListeners('headers');
  dropUpgradeListener(transport);
}

/** Limits how long a closed polling transport is kept: a client that no longer polls gives no sign of its end. */
export function limitPollingClose({ transport }: Socket['conn']): void {
  if (transport.name === 'polling') limitClosing(transport, CLOSE_TIMEOUT_MS);
}
