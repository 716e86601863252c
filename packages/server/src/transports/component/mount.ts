import type { BlockList } from 'node:net';
import type { Server } from 'ws';
import { CLOSE_TIMEOUT_MS } from '../sockets/closing.js';
import { PacedSocket } from '../sockets/paced-socket.js';
import { WebSocketServer } from '../sockets/ws.js';
import { isBlocked, toBlockList } from './blocked-addresses.js';
import { assertComponent, type MessageComponent } from './message-component.js';
import type { MountOptions } from './mount-options.js';
import { PathPattern } from './path-pattern.js';
import { assertSubprotocols, chooseSubprotocol } from './subprotocols.js';

const DEFAULT_MAX_BUFFERED_BYTES = 1_048_576;

/** A component on its path. */
export class Mount {
  readonly pattern: PathPattern;
  readonly component: MessageComponent;
  readonly allowedOrigins: readonly string[] | undefined;
  readonly maxBufferedBytes: number;
  /** Does the handshake, and reads what clients send. */
  readonly server: Server<typeof PacedSocket>;
  readonly #blocked: BlockList;

  /** @throws TypeError | RangeError where path, component or an option is none */
  constructor(path: string, component: MessageComponent, options: MountOptions, maxFrameBytes: number) {
    assertComponent(component);
    const { subprotocols = [], blockedAddresses = [], maxBufferedBytes = DEFAULT_MAX_BUFFERED_BYTES } = options;
    assertSubprotocols(subprotocols);
    if (!Number.isSafeInteger(maxBufferedBytes)) throw new TypeError('maxBufferedBytes must be a whole number');
    if (maxBufferedBytes < 1) throw new RangeError('maxBufferedBytes must be at least 1');
    this.pattern = new PathPattern(path);
    this.component = component;
    this.allowedOrigins = options.allowedOrigins;
    this.maxBufferedBytes = maxBufferedBytes;
    this.#blocked = toBlockList(blockedAddresses);
    this.server = createServer(subprotocols, maxFrameBytes);
  }

  blocks(address: string): boolean {
    return isBlocked(this.#blocked, address);
  }
}

function createServer(subprotocols: readonly string[], maxFrameBytes: number): Server<typeof PacedSocket> {
  const options = {
    noServer: true,
    clientTracking: false,
    WebSocket: PacedSocket,
    perMessageDeflate: false,
    maxPayload: maxFrameBytes,
    closeTimeout: CLOSE_TIMEOUT_MS,
    handleProtocols: (offered: Set<string>) => chooseSubprotocol(subprotocols, offered),
  } as const;
  return new WebSocketServer(options);
}
