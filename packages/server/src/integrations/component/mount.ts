import type { BlockList } from 'node:net';
import { WebSocketServer } from 'ws';
import { CLOSE_TIMEOUT_MS } from '../../transports/closing.js';
import { type BlockedAddresses, isBlocked, toBlockList } from './blocked-addresses.js';
import { assertComponent, type MessageComponent } from './message-component.js';
import { PathPattern } from './path-pattern.js';
import { assertSubprotocols, chooseSubprotocol } from './subprotocols.js';

export interface MountOptions {
  /** The origins whose pages may connect, as browsers send them. @default those of the server */
  readonly allowedOrigins?: readonly string[];
  /** Who may not connect: addresses, subnets, or a `net.BlockList`, which may grow later. @default [] */
  readonly blockedAddresses?: BlockedAddresses;
  /** Those that the component speaks, the best first. @default [] */
  readonly subprotocols?: readonly string[];
  /**
   * From how many bytes on that the client has not taken the next `send` closes it, with 4002; at least what the system's own buffer for a
   * socket holds, some ten KiB. One message may be larger. @default 1048576 (1 MiB)
   */
  readonly maxBufferedBytes?: number;
}

const DEFAULT_MAX_BUFFERED_BYTES = 1_048_576;

/** A component on its path. */
export class Mount {
  readonly pattern: PathPattern;
  readonly component: MessageComponent;
  readonly allowedOrigins: readonly string[] | undefined;
  readonly maxBufferedBytes: number;
  /** Does the handshake, and reads what clients send. */
  readonly server: WebSocketServer;
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

function createServer(subprotocols: readonly string[], maxFrameBytes: number): WebSocketServer {
  const options = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: maxFrameBytes,
    closeTimeout: CLOSE_TIMEOUT_MS,
    handleProtocols: (offered: Set<string>) => chooseSubprotocol(subprotocols, offered),
  } as const;
  return new WebSocketServer(options);
}
