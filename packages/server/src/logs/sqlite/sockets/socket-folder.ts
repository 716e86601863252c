import { createHash, randomBytes } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { errorCode } from '../../shared/error-code.js';

/** The shortest `sockaddr_un.sun_path` of the systems that Node runs on, without the NUL at its end. */
const MAX_SOCKET_PATH_BYTES = 103;
const SOCKET_NAME_BYTES = 24;

/** How long what was written last may take to go out, to one that does not read. */
const CLOSE_TIMEOUT_MS = 1_000;

/**
 * A folder of sockets in which processes that share a file find each other: beside the file, if its path is short enough, else
 * where the system keeps temporary files.
 *
 * @param purpose what the folder's name ends in
 */
export function socketFolder(realPath: string, purpose: string): string {
  const beside = `${realPath}-${purpose}`;
  if (Buffer.byteLength(beside) + 1 + SOCKET_NAME_BYTES <= MAX_SOCKET_PATH_BYTES) return beside;
  const name = createHash('sha256').update(beside).digest('hex').slice(0, 16);
  return join(tmpdir(), `pregon-${name}`);
}

/** Among temporary files anybody may make a folder of this name before us. */
function isAmongTemporary(folder: string): boolean {
  return dirname(folder) === tmpdir();
}

export interface ListenerOptions {
  /** The folder must be this user's alone: it is created so, and refused otherwise. Always so among temporary files. @default false */
  readonly isPrivate?: boolean;
  /** Somebody connected; what goes wrong with the connection ends it, and needs no listener. */
  readonly onConnection: (connection: Socket) => void;
}

/** Listens in a folder, under a name that no other listener has. */
export class SocketListener {
  readonly #folder: string;
  readonly #server: Server;
  readonly #connections = new Set<Socket>();
  /** The socket's name in the folder. */
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

  /** @throws the system's error where the folder cannot hold a socket; an Error where it should be private and is not */
  static async open(folder: string, options: ListenerOptions): Promise<SocketListener> {
    const name = `${process.pid.toString(36)}-${randomBytes(4).toString('hex')}`;
    for (let attempt = 1; ; attempt++) {
      const server = createServer();
      try {
        createFolder(folder, options.isPrivate === true || isAmongTemporary(folder));
        await listen(server, join(folder, `${name}.new`));
        // Under its final name only once it listens: whoever is refused takes it for dead.
        renameSync(join(folder, `${name}.new`), join(folder, `${name}.sock`));
        return new SocketListener(folder, server, `${name}.sock`, options);
      } catch (error) {
        server.close();
        // Another listener that ended may have removed the folder in between.
        if (errorCode(error) !== 'ENOENT' || attempt === 3) throw error;
      }
    }
  }

  /** Whether it can be found: nobody has removed its socket, as when the folder is deleted. */
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

/** Connections to all who listen in a folder, made when they are asked for; none keeps the process alive. */
export class SocketPeers {
  readonly #folder: string;
  readonly #isPrivate: boolean;
  readonly #onUnreadable: (cause: unknown) => void;
  readonly #connections = new Map<string, Socket>();
  #unreadable = false;

  /**
   * @param onUnreadable the folder cannot be read or trusted, so nobody is found; called once
   * @param options.isPrivate as for a {@link SocketListener}: nobody is told anything in a folder that others could have made
   */
  constructor(folder: string, onUnreadable: (cause: unknown) => void, options: { isPrivate?: boolean } = {}) {
    this.#folder = folder;
    this.#isPrivate = options.isPrivate === true || isAmongTemporary(folder);
    this.#onUnreadable = onUnreadable;
  }

  /**
   * One to each; what is written before it is open goes out then. What is left of a process that was killed is removed.
   *
   * @param own the name of the caller's own socket, which is left out
   */
  connections(own: string | undefined): Socket[] {
    for (const name of this.#listeners()) {
      if (name !== own && !this.#connections.has(name)) this.#connect(name);
    }
    return [...this.#connections.values()];
  }

  /** What was written still goes out, in a moment. */
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
      // Nobody listens any more: its process was killed.
      if (errorCode(error) === 'ECONNREFUSED') rmSync(path, { force: true });
    });
    connection.on('close', () => this.#connections.delete(name));
  }
}

function createFolder(folder: string, isPrivate: boolean): void {
  mkdirSync(folder, { recursive: true, mode: isPrivate ? 0o700 : 0o777 });
  if (isPrivate) assertPrivate(folder);
}

/** @throws Error for a folder that another user has made, or may look into; for a link, wherever it leads */
function assertPrivate(folder: string): void {
  if (process.platform === 'win32') return;
  const stat = lstatSync(folder);
  if (stat.isDirectory() && stat.uid === process.geteuid?.() && (stat.mode & 0o077) === 0) return;
  throw new Error(`${folder} must be a folder of the user who runs this, with no permission for others (mode 700)`);
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
