import type { Socket } from 'node:net';
import { PregonError } from '@pregon/protocol';
import { type Ephemeral, type EphemeralMember, MAX_EPHEMERAL_BYTES } from '../../../core/ports/ephemeral.js';
import { SocketListener, SocketPeers } from './socket-folder.js';
import { TextFrameReader } from './text-frames.js';
import { TextSender } from './text-sender.js';

/** How often a member looks whether the others can still find it. */
const LOOK_INTERVAL_MS = 1_000;

/**
 * {@link Ephemeral} for the processes of one machine and user: each member listens on a Unix socket in a folder that all share, and
 * connects to those of the others. Windows has no such sockets in Node: there, no member hears another.
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
      onFull: () => onWarning(new Error('a gateway does not read what is broadcast: what it does not take is dropped')),
    });
    if (process.platform !== 'win32') this.#opening = this.#open();
    this.#timer = setInterval(() => this.#look(), LOOK_INTERVAL_MS).unref();
  }

  /** Resolves when it listens, or cannot. */
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
        // Whoever listens in it is sent what is broadcast, and whoever may connect can broadcast to clients.
        isPrivate: true,
        onConnection: (connection) => this.#listenTo(connection),
      });
      // Finds what killed processes left behind, also where nothing is ever sent.
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
      this.#options.onWarning(new Error('a process beside the log sent what is no broadcast', { cause }));
      return [];
    }
  }

  /** Whoever deletes the folder takes the socket with it: those who come later would not find this member any more. */
  #look(): void {
    const lost = this.#listener;
    if (!lost || lost.isThere) return;
    this.#listener = undefined;
    this.#opening = this.#open(lost);
  }
}

function alone(folder: string, cause: unknown): Error {
  return new Error(`the gateways on this log cannot meet in ${folder}: broadcasts stay in this process`, { cause });
}
