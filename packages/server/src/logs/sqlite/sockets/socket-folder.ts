import { createHash, randomBytes } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { errorCode } from '../../shared/error-code.js';

/** The shortest `sockaddr_un.sun_path` of the systems that Node.js supports, without the NUL at its end. */
const MAX_SOCKET_PATH_BYTES = 103;
const SOCKET_NAME_BYTES = 24;

/** The time limit for flushing the last writes to a peer that does not read. */
const CLOSE_TIMEOUT_MS = 1_000;

/**
 * Returns the folder of sockets in which processes that share a file find each other. It is next to the file if its
 * path is short enough, otherwise in the system's folder for temporary files.
 *
 * @param purpose the suffix of the folder's name
 */
export function socketFolder(realPath: string, purpose: string): string {
  const beside = `${realPath}-${purpose}`;
  if (Buffer.byteLength(beside) + 1 + SOCKET_NAME_BYTES <= MAX_SOCKET_PATH_BYTES) return beside;
  const name = createHash('sha256').update(beside).digest('hex').slice(0, 16);
  return join(tmpdir(), `pregon-${name}`);
}

/** Any user may have created a folder of this name among the temporary files. */
function isAmongTemporary(folder: string): boolean {
  return dirname(folder) === tmpdir();
}

export interface ListenerOptions {
  /**
   * Whether the folder must belong to this user alone. It is created so, and refused otherwise. Always true among
   * temporary files.
   * @default false
   */
  readonly isPrivate?: boolean;
  /** Called for each connection. An error of the connection closes it and needs no listener. */
  readonly onConnection: (connection: Socket) => void;
}

/** Listens in a folder, under a unique name. */
export class SocketListener {
  readonly #folder: string;
  readonly #server: Server;
  readonly #connections = new Set<Socket>();
  /** The name of the socket in the folder. */
  readonly name: string;

  private constructor(folder: string, server: Server, name: string, { onConnection }: ListenerOptions) {
    this.#folder = folder;
    this.#server = server;
    this.name = name;
    server.on('connection', (connection) => {
      this.#connections.add(connection);
      connection.on('error', () => connection.destroy());
      connection.on('close', () => this.#connections.delete(connection));
      onConnection(connection);
    });
  }

  /**
   * @throws the system's error if the folder cannot hold a socket; an Error if the folder must be private and is not
   */
  static async open(folder: string, options: ListenerOptions): Promise<SocketListener> {
    const name = `${process.pid.toString(36)}-${randomBytes(4).toString('hex')}`;
    for (let attempt = 1; ; attempt++) {
      const server = createServer();
      try {
        createFolder(folder, options.isPrivate === true || isAmongTemporary(folder));
        await listen(server, join(folder, `${name}.new`));
        // The socket gets its final name only when it listens: a peer whose connection is refused takes a socket for
        // dead and removes it.
        renameSync(join(folder, `${name}.new`), join(folder, `${name}.sock`));
        return new SocketListener(folder, server, `${name}.sock`, options);
      } catch (error) {
        server.close();
        // Another listener that closed may have removed the folder in between.
        if (errorCode(error) !== 'ENOENT' || attempt === 3) throw error;
      }
    }
  }

  /** Whether peers can find the listener: its socket still exists. Deleting the folder removes it. */
  get isThere(): boolean {
    return existsSync(join(this.#folder, this.name));
  }

  async close(): Promise<void> {
    rmSync(join(this.#folder, this.name), { force: true });
    for (const connection of this.#connections) connection.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    removeIfEmpty(this.#folder);
  }
}

/** Connections to all listeners in a folder, opened on demand. They do not keep the process alive. */
export class SocketPeers {
  readonly #folder: string;
  readonly #isPrivate: boolean;
  readonly #onUnreadable: (cause: unknown) => void;
  readonly #connections = new Map<string, Socket>();
  #unreadable = false;

  /**
   * @param onUnreadable called once if the folder cannot be read or trusted, so that no peer is found
   * @param options.isPrivate as for a {@link SocketListener}: nothing is sent to a folder that another user could have
   * created
   */
  constructor(folder: string, onUnreadable: (cause: unknown) => void, options: { isPrivate?: boolean } = {}) {
    this.#folder = folder;
    this.#isPrivate = options.isPrivate === true || isAmongTemporary(folder);
    this.#onUnreadable = onUnreadable;
  }

  /**
   * Returns a connection to each listener. Data written before a connection is open is sent when it opens. Sockets of
   * killed processes are removed.
   *
   * @param own the name of the caller's own socket, which is excluded
   */
  connections(own: string | undefined): Socket[] {
    for (const name of this.#listeners()) {
      if (name !== own && !this.#connections.has(name)) this.#connect(name);
    }
    return [...this.#connections.values()];
  }

  /** Closes the connections; data that is already written has a short time to go out. */
  close(): void {
    for (const connection of this.#connections.values()) {
      const late = setTimeout(() => connection.destroy(), CLOSE_TIMEOUT_MS).unref();
      connection.once('close', () => clearTimeout(late)).destroySoon();
    }
    this.#connections.clear();
  }

  #listeners(): string[] {
    try {
      if (this.#isPrivate) assertPrivate(this.#folder);
      return readdirSync(this.#folder).filter((name) => name.endsWith('.sock'));
    } catch (error) {
      if (errorCode(error) !== 'ENOENT' && !this.#unreadable) {
        this.#unreadable = true;
        this.#onUnreadable(error);
      }
      return [];
    }
  }

  #connect(name: string): void {
    const path = join(this.#folder, name);
    const connection = connect({ path });
    this.#connections.set(name, connection);
    connection.unref();
    connection.on('error', (error) => {
      // There is no listener any more: its process was killed.
      if (errorCode(error) === 'ECONNREFUSED') rmSync(path, { force: true });
    });
    connection.on('close', () => this.#connections.delete(name));
  }
}

function createFolder(folder: string, isPrivate: boolean): void {
  mkdirSync(folder, { recursive: true, mode: isPrivate ? 0o700 : 0o777 });
  if (isPrivate) assertPrivate(folder);
}

/** @throws Error if another user created the folder or may look into it, or if the path is a link */
function assertPrivate(folder: string): void {
  if (process.platform === 'win32') return;
  const stat = lstatSync(folder);
  if (stat.isDirectory() && stat.uid === process.geteuid?.() && (stat.mode & 0o077) === 0) return;
  throw new Error(
    `${folder} must be a folder of the user who runs this process, without permissions for others (mode 700)`,
  );
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
