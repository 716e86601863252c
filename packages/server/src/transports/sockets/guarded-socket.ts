import type { Duplex } from 'node:stream';

function destroy(this: Duplex): void {
  this.destroy();
}

/**
 * Adds an `error` listener to a raw socket. Node.js removes its own listeners before it emits `upgrade`: if the client
 * then resets the connection and there is no listener, the error ends the process. So call this before anything else is
 * done with the socket. Repeated calls have no effect.
 */
export function guard(socket: Duplex): void {
  if (socket.listenerCount('error', destroy) === 0) socket.on('error', destroy);
}

/** Removes the listener of {@link guard}. Only for the owner of the socket, after it has added its own listener. */
export function unguard(socket: Duplex): void {
  socket.off('error', destroy);
}
