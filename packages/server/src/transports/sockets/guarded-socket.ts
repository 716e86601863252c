import type { Duplex } from 'node:stream';

function destroy(this: Duplex): void {
  this.destroy();
}

/**
 * Gives a bare socket an `error` listener. Node.js takes its own listeners from a socket before it emits `upgrade`: if the client
 * then resets the connection and nobody listens, the error ends the process. So this is called before anything else is done with
 * the socket. Calling it again changes nothing.
 */
export function guard(socket: Duplex): void {
  if (socket.listenerCount('error', destroy) === 0) socket.on('error', destroy);
}

/** Removes the listener of {@link guard}: only for the owner of the socket, once it has a listener of its own. */
export function unguard(socket: Duplex): void {
  socket.off('error', destroy);
}
