import type { Socket } from 'node:net';
import { PregonError } from '@pregon/protocol';
import { type Ephemeral, type EphemeralMember, MAX_EPHEMERAL_BYTES } from '../../../core/ports/ephemeral.js';
import { SocketListener, SocketPeers } from './socket-folder.js';
import { TextFrameReader } from './text-frames.js';
import { TextSender } from './text-sender.js';

/** The interval at which a member checks that others can still find it. */
const LOOK_INTERVAL_MS = 1_000;

/**
 * {@link Ephemeral} for the processes of one user on one machine. Each member listens on a Unix socket in a shared
 * folder and connects to the sockets of the others. Node.js on Windows has no such sockets: there, members do not
 * receive each other's messages.
 */
export class SocketEphemeral implements Ephemeral {
  readonly #folder: string;
  readonly #onWarning: (error: Error) => void;
  readonly #members = new Set<SocketMember>();
  #closed = false;

  constructor(folder: string, onWarning: (error: Error) => void) {
    this.#folder = folder;
    this.#onWarning = onWarning;
  }

  async join(hear: (text: string) => void): Promise<EphemeralMember> {
    this.#assertOpen();
    const member = new SocketMember({
      folder: this.#folder,
      hear,
      onWarning: this.#onWarning,
      onLeft: () => this.#members.delete(member),
    });
    this.#members.add(member);
    await member.opened;
    this.#assertOpen();
    return member;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#members].map((member) => member.leave()));
  }

  #assertOpen(): void {
    if (this.#closed) throw new PregonError('LOG_CLOSED', 'the log is closed');
  }
}

interface MemberOptions {
  readonly folder: string;
  readonly hear: (text: string) => void;
  readonly onWarning: (error: Error) => void;
  readonly onLeft: () => void;
}

class SocketMember implements EphemeralMember {
  readonly #options: MemberOptions;
  readonly #peers: SocketPeers;
  readonly #sender: TextSender;
  readonly #timer: NodeJS.Timeout;
  #listener: SocketListener | undefined;
  #opening: Promise<void> | undefined;
  #leaving: Promise<void> | undefined;

  constructor(options: MemberOptions) {
    this.#options = options;
    const { folder, onWarning } = options;
    this.#peers = new SocketPeers(folder, (cause) => onWarning(alone(folder, cause)), { isPrivate: true });
    this.#sender = new TextSender({
      connections: () => this.#peers.connections(this.#listener?.name),
      onFull: () =>
        onWarning(new Error('a gateway on this log does not read broadcasts: those beyond its buffer are dropped')),
    });
    if (process.platform !== 'win32') this.#opening = this.#open();
    this.#timer = setInterval(() => this.#look(), LOOK_INTERVAL_MS).unref();
  }

  /** Resolves when the member listens, or when listening has failed. */
  get opened(): Promise<void> {
    return this.#opening ?? Promise.resolve();
  }

  get dropped(): number {
    return this.#sender.dropped;
  }

  send(text: string): void {
    if (!this.#leaving) this.#sender.send(text);
  }

  leave(): Promise<void> {
    this.#leaving ??= this.#leave();
    return this.#leaving;
  }

  async #leave(): Promise<void> {
    clearInterval(this.#timer);
    this.#sender.flush();
    await this.#opening;
    await this.#listener?.close();
    this.#peers.close();
    this.#options.onLeft();
  }

  async #open(lost?: SocketListener): Promise<void> {
    try {
      await lost?.close();
      this.#listener = await SocketListener.open(this.#options.folder, {
        // A process that listens in the folder receives all broadcasts, and a process that may connect can broadcast to
        // clients.
        isPrivate: true,
        onConnection: (connection) => this.#listenTo(connection),
      });
      // Removes sockets of killed processes, even if this member never sends.
      this.#peers.connections(this.#listener.name);
    } catch (cause) {
      this.#options.onWarning(alone(this.#options.folder, cause));
    }
  }

  #listenTo(connection: Socket): void {
    const reader = new TextFrameReader(MAX_EPHEMERAL_BYTES);
    connection.on('data', (bytes) => {
      for (const text of this.#read(reader, connection, bytes)) this.#options.hear(text);
    });
  }

  #read(reader: TextFrameReader, connection: Socket, bytes: Buffer): string[] {
    try {
      return reader.push(bytes);
    } catch (cause) {
      connection.destroy();
      this.#options.onWarning(
        new Error('a process sent data to the socket of this log that is not a broadcast', { cause }),
      );
      return [];
    }
  }

  /** Deleting the folder also deletes the socket; new members could then no longer find this one. */
  #look(): void {
    const lost = this.#listener;
    if (!lost || lost.isThere) return;
    this.#listener = undefined;
    this.#opening = this.#open(lost);
  }
}

function alone(folder: string, cause: unknown): Error {
  return new Error(`the gateways on this log cannot use the folder ${folder}: broadcasts stay in this process`, {
    cause,
  });
}
