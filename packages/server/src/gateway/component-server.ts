import type { ClientAddressOptions } from '../access/addresses/client-address-options.js';
import { AccessLimits } from '../access/limits/access-limits.js';
import { Origins } from '../access/origins.js';
import { Heartbeat } from '../core/connections/heartbeat.js';
import { Intake } from '../core/incoming/intake.js';
import type { Admission } from '../core/ports/admission.js';
import { RefusalLog } from '../core/refusals/refusal-log.js';
import { systemClock } from '../core/time/clock.js';
import { atMost } from '../core/time/deadline.js';
import { isProduction } from '../settings.js';
import { ComponentEntrance } from '../transports/component/component-entrance.js';
import type { MessageComponent } from '../transports/component/message-component.js';
import type { MountOptions } from '../transports/component/mount-options.js';
import { assertAccess, assertProductionAccess, thisMachineFor } from './access/access-mode.js';
import { Front } from './entrances/front.js';
import type { ListenOptions } from './gateway.js';
import { GatewayAdmissions } from './gateway-admissions.js';
import { guardLogger } from './guard-logger.js';
import type { GatewayLimits, Logger } from './options.js';
import type { AttachableServer } from './server/attachable-server.js';
import { assertOrigins, normalizeLimits } from './validate.js';

export interface ComponentServerOptions
  extends ClientAddressOptions,
    Pick<
      GatewayLimits,
      | 'heartbeatMs'
      | 'stallTimeoutMs'
      | 'handshakeTimeoutMs'
      | 'keepAliveTimeoutMs'
      | 'maxFrameBytes'
      | 'maxFramesPerSecond'
      | 'frameBurst'
      | 'maxIncomingBytesPerSecond'
      | 'incomingBytesBurst'
      | 'maxConnectionsPerAddress'
      | 'maxHandshakesPerSecond'
      | 'handshakeBurst'
      | 'maxPendingPerAddress'
      | 'maxPending'
      | 'maxConnectionsPerIdentity'
    > {
  /**
   * `public` admits every client whose origin is allowed. @default only this machine may connect, except to a component
   *   whose mount has `access`; with `NODE_ENV=production`, an error
   */
  readonly access?: 'public';
  /** As for a gateway. @default pages from loopback addresses */
  readonly allowedOrigins?: readonly string[];
  /** As for a gateway. @default [] */
  readonly admissions?: readonly Admission[];
  /** `error` is called if `onError` of a component throws, `warn` if a client is refused. @default nothing is logged */
  readonly logger?: Pick<Logger, 'error'> & Partial<Pick<Logger, 'warn'>>;
}

/** Serves components only: it has no log and no routes. */
export interface ComponentServer {
  /**
   * Mounts a component on a path, `/chat` or `/chat/:room`. If several patterns match, the component that was mounted
   * first gets the connection.
   *
   * @returns this server
   * @throws TypeError | RangeError if the path, the component or an option is not valid, or the path is in use
   */
  mount(path: string, component: MessageComponent, options?: MountOptions): ComponentServer;
  /**
   * Listens on a port of its own.
   *
   * @returns the host and the port, which matters if `port` was 0
   * @throws PregonError LISTEN_FAILED if the port is in use; CONFIG_INVALID if the certificate or key is not valid
   */
  listen(options?: ListenOptions): Promise<{ host: string; port: number }>;
  /**
   * Serves the components on an existing server. All other paths stay with the listeners of that server, whenever they
   * were added.
   *
   * @throws TypeError if another gateway on this server has one of the paths
   */
  attach(server: AttachableServer): void;
  /**
   * Accepts no more connections, closes all connections with 4000, and resolves when they have ended.
   *
   * @param options.timeoutMs the most milliseconds that closing takes. Default: 10000
   */
  close(options?: { timeoutMs?: number }): Promise<void>;
}

/**
 * Creates a server for components, which is ready to listen.
 *
 * @throws TypeError | RangeError if an option is not valid, or needs a gateway, such as `auth`
 * @throws PregonError CONFIG_INVALID if `NODE_ENV` is `production` and `access` is missing
 * @example
 * const server = createComponentServer();
 * server.mount('/chat/:room', chat);
 * await server.listen({ port: 1234 });
 */
export function createComponentServer(options: ComponentServerOptions = {}): ComponentServer {
  return new RunningComponentServer(options);
}

class RunningComponentServer implements ComponentServer {
  readonly #heartbeat: Heartbeat;
  readonly #entrance: ComponentEntrance;
  readonly #front: Front;
  #closing: Promise<void> | undefined;

  constructor(options: ComponentServerOptions) {
    const limits = normalizeLimits(options);
    const { allowedOrigins } = options;
    assertOrigins(allowedOrigins);
    assertNoAuth(options);
    const access = { access: options.access };
    assertAccess(access);
    assertProductionAccess(access, isProduction());
    const origins = new Origins(allowedOrigins);
    const thisMachine = thisMachineFor(access);
    const { clients } = new AccessLimits(limits, options, systemClock);
    const logger = guardLogger(options.logger);
    const refusals = new RefusalLog(logger, systemClock);
    const pace = (resume: () => void) => this.#front.whenFree(resume);
    const admissions = new GatewayAdmissions({
      origins,
      thisMachine,
      clients,
      maxPending: limits.maxPending,
      admissions: options.admissions,
      logger,
      pace,
    });
    const intake = new Intake(limits, systemClock);
    this.#heartbeat = new Heartbeat(limits.heartbeatMs, limits.stallTimeoutMs, systemClock);
    this.#entrance = new ComponentEntrance({
      heartbeat: this.#heartbeat,
      clock: systemClock,
      intake,
      maxFrameBytes: limits.maxFrameBytes,
      addressOf: clients.addressOf,
      accessOf: (mount) => admissions.ofMount(mount),
      assertFree: (claim, entrance) => this.#front.assertFree(claim, entrance),
      refusals,
      onBroken: (connection, err) => logger.error({ connection: connection.id, err }, 'onError of a component failed'),
    });
    this.#front = new Front(this.#entrance, { limits, refusals, clients });
  }

  mount(path: string, component: MessageComponent, options: MountOptions = {}): this {
    assertOrigins(options.allowedOrigins);
    this.#entrance.mount(path, component, options);
    return this;
  }

  listen(options: ListenOptions = {}): Promise<{ host: string; port: number }> {
    return this.#front.listen(options);
  }

  attach(server: AttachableServer): void {
    this.#front.attach(server);
  }

  close({ timeoutMs = 10_000 }: { timeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  async #close(timeoutMs: number): Promise<void> {
    this.#heartbeat.stop();
    this.#front.leave();
    this.#front.close();
    await atMost(timeoutMs, this.#entrance.close(), systemClock);
    this.#front.destroy();
  }
}

/** Without types, options of a gateway could be given. The author would rely on them, and they would do nothing. */
function assertNoAuth(options: object): void {
  if ('auth' in options && options.auth !== undefined)
    throw new TypeError('auth needs createGateway: mount the components on a gateway, each with access');
}
