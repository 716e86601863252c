import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorCode } from './error-code.js';

/** The shortest `sockaddr_un.sun_path` of the systems that Node runs on, without the NUL at its end. */
const MAX_SOCKET_PATH_BYTES = 103;
const SOCKET_NAME_BYTES = 24;
const NUDGE = Buffer.from([1]);

/** Where those who follow a log listen: beside its file, so that all who share the file find it, if its path is short enough. */
export function nudgeFolder(realPath: string): string {
  const beside = `${realPath}-nudge`;
  if (Buffer.byteLength(beside) + 1 + SOCKET_NAME_BYTES <= MAX_SOCKET_PATH_BYTES) return beside;
  const name = createHash('sha256').update(realPath).digest('hex').slice(0, 16);
  return join(tmpdir(), `pregon-${name}`);
}

/** Listens for nudges: bytes that say no more than "look". */
export class NudgeListener {
  readonly #folder: string;
  readonly #server: Server;
  readonly #connections = new Set<Socket>();
  /** The socket's name in the folder. */
  readonly name: string;

  private constructor(folder: string, server: Server, name: string, onNudge: () => void) {
    this.#folder = folder;
    this.#server = server;
    this.name = name;
    server.on('connection', (connection) => {
      this.#connections.add(connection);
      connection.on('data', onNudge);
      connection.on('error', () => connection.destroy());
      connection.on('close', () => this.#connections.delete(connection));
    });
  }

  /** @throws the system's error where the folder cannot hold a socket */
  static async open(folder: string, onNudge: () => void): Promise<NudgeListener> {
    const name = `${process.pid.toString(36)}-${randomBytes(4).toString('hex')}`;
    for (let attempt = 1; ; attempt++) {
      const server = createServer();
      try {
        mkdirSync(folder, { recursive: true });
        await listen(server, join(folder, `${name}.new`));
        // Under its final name only once it listens: a nudger takes one that refuses for dead.
        renameSync(join(folder, `${name}.new`), join(folder, `${name}.sock`));
        return new NudgeListener(folder, server, `${name}.sock`, onNudge);
      } catch (error) {
        server.close();
        // Another listener that ended may have removed the folder in between.
        if (errorCode(error) !== 'ENOENT' || attempt === 3) throw error;
      }
    }
  }

  async close(): Promise<void> {
    rmSync(join(this.#folder, this.name), { force: true });
    for (const connection of this.#connections) connection.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    removeIfEmpty(this.#folder);
  }
}

/** Nudges all who listen in a folder. Never waits, never fails: the safety net of those who listen is to poll. */
export class Nudger {
  readonly #folder: string;
  readonly #onWarning: (error: Error) => void;
  readonly #connections = new Map<string, Socket>();
  #warned = false;

  constructor(folder: string, onWarning: (error: Error) => void) {
    this.#folder = folder;
    this.#onWarning = onWarning;
  }

  /** @param own the name of the caller's own socket, which is left out */
  nudge(own: string | undefined): void {
    for (const name of this.#listeners()) {
      if (name === own) continue;
      const connection = this.#connections.get(name) ?? this.#connect(name);
      // One that has not gone out yet says all that another would.
      if (connection.writableLength === 0) connection.write(NUDGE);
    }
  }

  close(): void {
    for (const connection of this.#connections.values()) connection.destroy();
    this.#connections.clear();
  }

  #listeners(): string[] {
    try {
      return readdirSync(this.#folder).filter((name) => name.endsWith('.sock'));
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') this.#warnOnce(error);
      return [];
    }
  }

  #warnOnce(cause: unknown): void {
    if (this.#warned) return;
    this.#warned = true;
    this.#onWarning(new Error(`nobody can be nudged in ${this.#folder}: those who follow the log poll it`, { cause }));
  }

  #connect(name: string): Socket {
    const path = join(this.#folder, name);
    const connection = connect({ path });
    this.#connections.set(name, connection);
    connection.unref();
    connection.on('error', (error) => {
      // Nobody listens any more: its process was killed.
      if (errorCode(error) === 'ECONNREFUSED') rmSync(path, { force: true });
    });
    connection.on('close', () => this.#connections.delete(name));
    return connection;
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(errorCode(error) ?? '')) throw error;
  }
}
