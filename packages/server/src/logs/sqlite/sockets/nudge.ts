import { SocketListener, SocketPeers } from './socket-folder.js';

const NUDGE = Buffer.from([1]);

/**
 * Listens for nudges: bytes that only mean "read the log again".
 *
 * @throws the system's error if the folder cannot hold a socket
 */
export function listenForNudges(folder: string, onNudge: () => void): Promise<SocketListener> {
  return SocketListener.open(folder, { onConnection: (connection) => connection.on('data', onNudge) });
}

/** Nudges all listeners in a folder. It never waits and never fails, because listeners also poll. */
export class Nudger {
  readonly #peers: SocketPeers;

  constructor(folder: string, onWarning: (error: Error) => void) {
    this.#peers = new SocketPeers(folder, (cause) =>
      onWarning(
        new Error(`nudges cannot be sent in ${folder}; processes that follow the log poll it instead`, { cause }),
      ),
    );
  }

  /** @param own the name of the caller's own socket, which is excluded */
  nudge(own: string | undefined): void {
    for (const connection of this.#peers.connections(own)) {
      // A nudge that is still waiting is as good as another one.
      if (connection.writableLength === 0) connection.write(NUDGE);
    }
  }

  close(): void {
    this.#peers.close();
  }
}
