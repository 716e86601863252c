import type { Socket } from 'socket.io';

/**
 * Disconnects a socket from its namespace. If a `disconnecting` handler of the application throws, Socket.IO leaves the
 * socket in its rooms: then its transport is closed, so that it gets nothing more.
 */
export function disconnectSurely(socket: Socket): void {
  try {
    socket.disconnect();
  } catch (error) {
    socket.conn.close(true);
    throw error;
  }
}
