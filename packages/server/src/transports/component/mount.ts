import type { Server } from 'ws';
import type { AdmissionChain } from '../../core/admission/admission-chain.js';
import type { EntranceName } from '../../core/ports/admission.js';
import type { OriginPolicy } from '../http/cors.js';
import { CLOSE_TIMEOUT_MS } from '../sockets/closing.js';
import { PacedSocket } from '../sockets/paced-socket.js';
import { WebSocketServer } from '../sockets/ws.js';
import { assertComponent, type MessageComponent } from './message-component.js';
import type { MountOptions } from './mount-options.js';
import { PathPattern } from './path-pattern.js';

const DEFAULT_MAX_BUFFERED_BYTES = 1_048_576;

/** The valid characters of a subprotocol's name: a token of RFC 9110 section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~\w]+$/;

/** The admissions of a component. */
export interface MountAccess {
  readonly admission: AdmissionChain;
  /** Decides which pages may read a response. */
  readonly origins: OriginPolicy;
}

/** A component at its path. */
export class Mount {
  readonly pattern: PathPattern;
  readonly component: MessageComponent;
  readonly entrance: EntranceName;
  readonly admission: AdmissionChain;
  readonly origins: OriginPolicy;
  readonly maxBufferedBytes: number;
  /** Performs the handshake, and reads what clients send. */
  readonly server: Server<typeof PacedSocket>;

  /** @throws TypeError | RangeError if the path, the component or an option is not valid */
  constructor(path: string, component: MessageComponent, options: MountOptions & MountAccess, maxFrameBytes: number) {
    assertComponent(component);
    const { subprotocols = [], maxBufferedBytes = DEFAULT_MAX_BUFFERED_BYTES } = options;
    assertSubprotocols(subprotocols);
    if (!Number.isSafeInteger(maxBufferedBytes)) throw new TypeError('maxBufferedBytes must be a whole number');
    if (maxBufferedBytes < 1) throw new RangeError('maxBufferedBytes must be at least 1');
    this.pattern = new PathPattern(path);
    this.component = component;
    this.entrance = { kind: 'component', name: path };
    this.admission = options.admission;
    this.origins = options.origins;
    this.maxBufferedBytes = maxBufferedBytes;
    this.server = createServer(subprotocols, maxFrameBytes);
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

/** @throws TypeError if a name is not valid or occurs twice */
function assertSubprotocols(names: readonly string[]): void {
  const wrong = names.find((name, i) => !TOKEN.test(name) || names.indexOf(name) !== i);
  if (wrong !== undefined) {
    throw new TypeError(`subprotocols: ${JSON.stringify(wrong)} is not a valid name, or occurs twice`);
  }
}

/**
 * Returns the first supported subprotocol that the client offers. If there is none, RFC 6455 section 4.2.2 lets the
 * client decide whether to continue without one.
 */
function chooseSubprotocol(ours: readonly string[], offered: ReadonlySet<string>): string | false {
  return ours.find((name) => offered.has(name)) ?? false;
}
