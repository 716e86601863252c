import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import {
  Body,
  Controller,
  Get,
  type INestApplication,
  Inject,
  Module,
  Post,
  type Provider,
  Scope,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  OnDomainEvent,
  PREGON_GATEWAY,
  PregonIoAdapter,
  PregonModule,
  type PregonModuleOptions,
  PregonPublisher,
} from '@pregon/nest';
import type { Gateway } from 'pregon';
import { ChatGateway } from './chat.js';
import { Journal, JournalLogger } from './journal.js';
import { gatewayOn, ProductsGateway } from './products.js';
import { Audit, Welcome } from './subscribers.js';

export { PregonModule, PregonPublisher } from '@pregon/nest';
export { PRODUCTS_NAMESPACE } from './products.js';

@Controller()
class PlainController {
  readonly #publisher: PregonPublisher;
  readonly #gateway: Gateway;

  constructor(@Inject(PregonPublisher) publisher: PregonPublisher, @Inject(PREGON_GATEWAY) gateway: Gateway) {
    this.#publisher = publisher;
    this.#gateway = gateway;
  }

  @Get('hello')
  hello(): string {
    return `hello from ${this.#gateway.routes.length} routes`;
  }

  @Post('users')
  async create(@Body() user: { name: string }): Promise<{ position: string | undefined }> {
    const topic = 'user.created';
    const { position } = await this.#publisher.publish({
      exchange: 'x',
      topic,
      type: 'UserWasCreated',
      source: '/nest',
      data: user,
    });
    return { position };
  }
}

/** A running application, without types of Nest, which differ between versions. */
export interface App {
  readonly url: string;
  readonly journal: string[];
  readonly gateway: Gateway;
  readonly publisher: PregonPublisher;
  close(): Promise<void>;
}

export interface BootOptions {
  readonly gateway: PregonModuleOptions;
  /** Whether the options come from a factory with an injected dependency. */
  readonly isAsync?: boolean;
  readonly gateways?: readonly ('chat' | 'products' | number)[];
  readonly subscribers?: boolean;
  readonly httpsOptions?: { readonly key: string; readonly cert: string };
  readonly perRequest?: boolean;
  /** Whether the module is among the imports. @default true */
  readonly isImported?: boolean;
}

export async function boot(options: BootOptions): Promise<App> {
  const journal = new Journal();
  const { httpsOptions } = options;
  const app = await NestFactory.create<INestApplication>(moduleOf(options, journal), {
    logger: new JournalLogger(journal),
    abortOnError: false,
    ...(httpsOptions ? { httpsOptions } : {}),
  });
  try {
    app.useWebSocketAdapter(new PregonIoAdapter(app));
    await app.listen(0, '127.0.0.1');
  } catch (error) {
    await app.close();
    throw error;
  }
  const { port }: AddressInfo = app.getHttpServer().address();
  return {
    url: `${httpsOptions ? 'https' : 'http'}://127.0.0.1:${port}`,
    journal: journal.lines,
    gateway: app.get<Gateway>(PREGON_GATEWAY),
    publisher: app.get(PregonPublisher),
    close: () => app.close(),
  };
}

/** The same without an HTTP server, as for workers and scripts. */
export async function bootContext(options: BootOptions): Promise<Omit<App, 'url'>> {
  const journal = new Journal();
  const app = await NestFactory.createApplicationContext(moduleOf(options, journal), {
    logger: new JournalLogger(journal),
    abortOnError: false,
  });
  return {
    journal: journal.lines,
    gateway: app.get<Gateway>(PREGON_GATEWAY),
    publisher: app.get(PregonPublisher),
    close: () => app.close(),
  };
}

function moduleOf(options: BootOptions, journal: Journal): { new (): object } {
  const {
    gateway,
    isAsync = false,
    gateways = [],
    subscribers = false,
    perRequest = false,
    isImported = true,
  } = options;
  const journalProvider = { provide: Journal, useValue: journal };

  @Module({ providers: [journalProvider], exports: [Journal] })
  class JournalModule {}

  const pregon = isAsync
    ? PregonModule.forRootAsync({
        imports: [JournalModule],
        inject: [Journal],
        useFactory: async (injected: Journal) => {
          injected.note('options: made');
          return gateway;
        },
      })
    : PregonModule.forRoot(gateway);

  @Module({
    imports: [...(isImported ? [pregon] : []), JournalModule],
    controllers: isImported ? [PlainController] : [],
    providers: [
      ...gateways.flatMap(gatewayClasses),
      ...(subscribers ? subscriberProviders() : []),
      ...(perRequest ? [perRequestProvider()] : []),
    ],
  })
  class AppModule {}
  return AppModule;
}

function gatewayClasses(gateway: 'chat' | 'products' | number): { new (...args: never[]): object }[] {
  if (gateway === 'chat') return [ChatGateway];
  return gateway === 'products' ? [ProductsGateway] : [gatewayOn(gateway), gatewayOn(gateway, '/own')];
}

function subscriberProviders(): Provider[] {
  const audit = { provide: 'AUDIT', inject: [Journal], useFactory: (journal: Journal) => new Audit(journal) };
  // The second name refers to the same instance, which is called once.
  return [Welcome, audit, { provide: 'AUDIT AGAIN', useExisting: 'AUDIT' }];
}

function perRequestProvider(): Provider {
  class PerRequest {
    @OnDomainEvent('UserWasCreated')
    never(): void {}
  }
  return { provide: PerRequest, useClass: PerRequest, scope: Scope.REQUEST };
}
