import cluster from 'node:cluster';
import { randomUUID } from 'node:crypto';
import { rmdirSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Counts } from '../core/counts/counts.js';
import { guard } from '../transports/sockets/guarded-socket.js';
import { type Facts, readToWorker, type ToPrimary } from './messages.js';

/** How long a received socket may wait until its sender has released it. */
const RELEASE_TIMEOUT_MS = 10_000;

/** The identity of a worker process. */
export interface WorkerPlace {
  /** From 1. A restarted worker has the number of the one it replaces. */
  readonly number: number;
  /** The private folder with the sockets of the workers. */
  readonly folder: string;
}

interface Taken {
  readonly socket: Socket;
  readonly head: Buffer;
  readonly late: NodeJS.Timeout;
}

/** A worker's channel to the primary that started it. If the primary ends, the worker ends at once. */
export class Worker {
  readonly place: WorkerPlace;
  /** Resolves with the signal that stops this worker, or all workers. */
  readonly stop: Promise<string>;
  /** Why this worker is not ready, without regard to the others. */
  notReady: () => string | undefined = () => 'it is starting';
  /** Reads files with keys again. */
  onReload: () => void = () => {};
  /** Takes a connection from which `head` was already read. */
  onTaken: (socket: Socket, head: Buffer) => void = (socket) => socket.destroy();
  /** Takes the counts of the clients of the other workers. */
  onCounts: (others: Counts) => void = () => {};
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
    // A terminal sends these signals to the whole process group. The primary tells the workers to stop, or ends itself,
    // which ends them.
    process.on('SIGINT', () => {});
    process.on('SIGHUP', () => {});
    // If the primary has ended, sending to it fails before the closed channel ends this process.
    cluster.worker?.on('error', () => {});
    process.once('exit', () => removeFolder(place.folder));
    process.on('SIGTERM', stop);
  }

  serving(facts: Facts): void {
    tell({ op: 'serving', facts });
  }

  /** @param written called when the channel can take the next message; never, if it is closed */
  tellCounts(counts: Counts, written: () => void): void {
    if (process.connected) process.send?.({ op: 'counts', ...counts } satisfies ToPrimary, undefined, {}, written);
  }

  /** Why not all workers are ready; undefined if they are. */
  anyNotReady(): Promise<string | undefined> {
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      this.#asked.set(id, resolve);
      tell({ op: 'ready?', id });
    });
  }

  /**
   * Hands a connection to the worker with this number, by way of the primary. The receiver must not read a socket
   * before every earlier holder has closed it; otherwise one process reads bytes that another one needs. A channel
   * delivers in order, and a message after a socket waits until the socket was received and closed here.
   *
   * @param head the bytes already read from the connection
   */
  hand(to: number, socket: Socket, head: Buffer): void {
    const ticket = randomUUID();
    guard(socket);
    // After the send, the socket object has no connection. Destroying it removes it from its server.
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
      case 'reload':
        return this.onReload();
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
      case 'counts':
        return this.onCounts(heard);
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

/** The last worker that ends removes the folder, in case the primary was killed. */
function removeFolder(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Other workers still use it, or it is already removed.
  }
}

function tell(message: ToPrimary): void {
  // If the channel is closed, this process is about to end.
  if (process.connected) process.send?.(message);
}
