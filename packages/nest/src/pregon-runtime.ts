import { Server } from 'node:net';
import type {
  BeforeApplicationShutdown,
  OnApplicationBootstrap,
  OnApplicationShutdown,
  OnModuleInit,
} from '@nestjs/common';
import type { DiscoveryService, HttpAdapterHost } from '@nestjs/core';
import { createGateway, type Gateway, type Log, openLog } from 'pregon';
import { closedNamespaces, decoratedOptions, namesOrigins } from './decorated-gateways.js';
import { DomainEvents } from './domain-events.js';
import { nestLogger } from './nest-logger.js';
import { type OpenOutbox, openOutbox } from './open-outbox.js';
import type { PregonModuleOptions } from './options.js';

type HttpServer = Parameters<Gateway['attach']>[0];

interface Parts {
  readonly gateway: Gateway;
  readonly outbox: OpenOutbox | undefined;
  readonly events: DomainEvents;
  /** The log, if it was opened here. */
  readonly ownLog: Log | undefined;
  readonly shutdown: PregonModuleOptions['shutdown'];
  readonly discovery: DiscoveryService;
  readonly http: HttpAdapterHost;
}

/** The gateway, and everything else that starts and stops with the application. */
export class PregonRuntime
  implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown
{
  readonly gateway: Gateway;
  readonly outbox: OpenOutbox | undefined;
  readonly #parts: Parts;
  readonly #attached = new WeakSet<object>();

  /**
   * Opens log, gateway and outbox. If one of them fails, those already opened are closed.
   *
   * @throws the errors of `createGateway` and of the outbox
   */
  static async start(
    options: PregonModuleOptions,
    discovery: DiscoveryService,
    http: HttpAdapterHost,
  ): Promise<PregonRuntime> {
    const { outbox, shutdown, ...rest } = options;
    const logger = rest.logger ?? nestLogger('Pregon');
    const events = new DomainEvents(logger);
    if (rest.allowedOrigins === undefined && namesOrigins(discovery)) {
      logger.warn({}, 'cors of a @WebSocketGateway does not allow origins: set allowedOrigins of PregonModule');
    }
    for (const namespace of closedNamespaces(discovery, rest)) {
      const remedy = `add namespaces: { '${namespace}': 'application' } to PregonModule, and let guards decide`;
      logger.warn({ namespace }, `no client may enter the namespace ${namespace} of a @WebSocketGateway: ${remedy}`);
    }
    // The relay and the gateway must share one log.
    const { exchanges } = rest;
    const onlyThese = { ...(exchanges === undefined ? {} : { exchanges }), drivers: rest.logDrivers };
    const ownLog = typeof rest.log === 'string' && outbox ? await openLog(rest.log, onlyThese) : undefined;
    const log = ownLog ?? rest.log;
    let gateway: Gateway | undefined;
    try {
      gateway = await createGateway({
        ...rest,
        log,
        logger,
        subscribers: [...(rest.subscribers ?? []), ...events.subscribers],
        ...(rest.socketIo === false ? {} : { socketIo: { ...decoratedOptions(discovery), ...rest.socketIo } }),
      });
      const opened = outbox && typeof log !== 'string' ? await openOutbox(outbox, log, logger) : undefined;
      return new PregonRuntime({ gateway, outbox: opened, events, ownLog, shutdown, discovery, http });
    } catch (error) {
      await gateway?.close({ spreadMs: 0, timeoutMs: 0 });
      await ownLog?.close();
      throw error;
    }
  }

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.gateway = parts.gateway;
    this.outbox = parts.outbox;
  }

  /** Serves the gateway on a server. Does nothing for a server that is already attached. */
  attach(server: HttpServer): void {
    if (this.#attached.has(server)) return;
    this.#attached.add(server);
    this.gateway.attach(server);
  }

  onModuleInit(): void {
    const server: unknown = this.#parts.http.httpAdapter?.getHttpServer();
    if (isHttpServer(server)) this.attach(server);
  }

  onApplicationBootstrap(): void {
    this.#parts.events.begin(this.#parts.discovery);
    this.outbox?.relay?.start();
  }

  /**
   * Runs while the application's server still listens, so that clients can be notified, and before databases are
   * closed. Events that the relay leaves in the outbox are relayed after the next start.
   */
  async beforeApplicationShutdown(): Promise<void> {
    const { events, shutdown } = this.#parts;
    await this.gateway.close(events.hasBegun ? shutdown : { spreadMs: 0, timeoutMs: 0 });
    await this.outbox?.relay?.stop();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#parts.ownLog?.close();
  }
}

/** Servers of `node:http` and `node:https`: `net.Server` is their only common class. */
export function isHttpServer(server: unknown): server is HttpServer {
  return server instanceof Server;
}
