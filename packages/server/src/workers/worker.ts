import cluster from 'node:cluster';
import { randomUUID } from 'node:crypto';
import { rmdirSync } from 'node:fs';
import { Socket } from 'node:net';
import { guard } from '../transports/sockets/guarded-socket.js';
import { type Facts, readToWorker, type ToPrimary } from './messages.js';

/** How long a socket that came may be waited for until its sender has let go of it. */
const RELEASE_TIMEOUT_MS = 10_000;

/** Which worker a process is. */
export interface WorkerPlace {
  /** From 1. A worker that takes the place of one that ended has its number. */
  readonly number: number;
  /** The private folder in which the workers meet. */
  readonly folder: string;
}

interface Taken {
  readonly socket: Socket;
  readonly head: Buffer;
  readonly late: NodeJS.Timeout;
}

/** One of the processes that serve a port, as it speaks with the primary that started it. Where the primary ends, it ends at once. */
export class Worker {
  readonly place: WorkerPlace;
  /** Resolves with the signal by which this worker, or all of them, are to stop. */
  readonly stop: Promise<string>;
  /** Why this worker alone is not ready. */
  notReady: () => string | undefined = () => 'it is starting';
  /** Takes a connection of which a part was read already. */
  onTaken: (socket: Socket, head: Buffer) => void = (socket) => socket.destroy();
  readonly #taken = new Map<string, Taken>();
  readonly #asked = new Map<number, (notReady: string | undefined) => void>();
  #lastId = 0;

  constructor(place: WorkerPlace) {
    this.place = place;
    let stop = (_signal: string) => {};
    this.stop = new Promise((resolve) => {
      stop = resolve;
    });
    process.on('message', (message, handle) => this.#hear(message, handle, stop));
    // A terminal sends them to all of the group. It is the primary that tells the workers, or ends, and they with it.
    process.on('SIGINT', () => {});
    process.on('SIGHUP', () => {});
    // Where the primary is gone, what is sent to it fails before the end of the channel ends this process.
    cluster.worker?.on('error', () => {});
    process.once('exit', () => removeFolder(place.folder));
    process.on('SIGTERM', stop);
  }

  serving(facts: Facts): void {
    tell({ op: 'serving', facts });
  }

  /** Why not all workers are ready; undefined where they are. */
  anyNotReady(): Promise<string | undefined> {
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      this.#asked.set(id, resolve);
      tell({ op: 'ready?', id });
    });
  }

  /**
   * Gives a connection away, to the worker of this number. Sent by the way of the primary; who is sent a socket must not read it before
   * all who had it have let go of it, or what comes for one is read by another. A channel delivers in order, and what follows a socket
   * waits until the socket has been received and closed here.
   *
   * @param head all that was read of it
   */
  hand(to: number, socket: Socket, head: Buffer): void {
    const ticket = randomUUID();
    guard(socket);
    // Sent, it is no more than a husk, which takes leave of the server that it came to.
    process.send?.({ op: 'hand', to, ticket, head: head.toString('base64') } satisfies ToPrimary, socket, {}, () =>
      socket.destroy(),
    );
    tell({ op: 'released', to, ticket });
  }

  #hear(message: unknown, handle: unknown, stop: (signal: string) => void): void {
    if (handle instanceof Socket) guard(handle);
    const heard = readToWorker(message);
    switch (heard?.op) {
      case 'stop':
        return stop(heard.signal);
      case 'readiness?':
        return tell({ op: 'readiness', id: heard.id, notReady: this.notReady() });
      case 'ready':
        this.#asked.get(heard.id)?.(heard.notReady);
        this.#asked.delete(heard.id);
        return;
      case 'take':
        if (handle instanceof Socket) this.#take(heard.ticket, handle, Buffer.from(heard.head, 'base64'));
        return;
      case 'released':
        return this.#released(heard.ticket);
    }
  }

  #take(ticket: string, socket: Socket, head: Buffer): void {
    const late = setTimeout(() => {
      this.#taken.delete(ticket);
      socket.destroy();
    }, RELEASE_TIMEOUT_MS);
    this.#taken.set(ticket, { socket, head, late });
  }

  #released(ticket: string): void {
    const taken = this.#taken.get(ticket);
    if (!taken) return;
    this.#taken.delete(ticket);
    clearTimeout(taken.late);
    this.onTaken(taken.socket, taken.head);
  }
}

/** The last one to leave it does, where the primary was killed. */
function removeFolder(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Others are still there, or it is gone.
  }
}

function tell(message: ToPrimary): void {
  // Where the channel is closed, this process is about to end.
  if (process.connected) process.send?.(message);
}
