import { SocketListener, SocketPeers } from './socket-folder.js';

const NUDGE = Buffer.from([1]);

/**
 * Listens for nudges: bytes that say no more than "look".
 *
 * @throws the system's error where the folder cannot hold a socket
 */
export function listenForNudges(folder: string, onNudge: () => void): Promise<SocketListener> {
  return SocketListener.open(folder, { onConnection: (connection) => connection.on('data', onNudge) });
}

/** Nudges all who listen in a folder. Never waits, never fails: the safety net of those who listen is to poll. */
export class Nudger {
  readonly #peers: SocketPeers;

  constructor(folder: string, onWarning: (error: Error) => void) {
    this.#peers = new SocketPeers(folder, (cause) =>
      onWarning(new Error(`nobody can be nudged in ${folder}: those who follow the log poll it`, { cause })),
    );
  }

  /** @param own the name of the caller's own socket, which is left out */
  nudge(own: string | undefined): void {
    for (const connection of this.#peers.connections(own)) {
      // One that has not gone out yet says all that another would.
      if (connection.writableLength === 0) connection.write(NUDGE);
    }
  }

  close(): void {
    this.#peers.close();
  }
}
