import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService, HttpAdapterHost } from '@nestjs/core';
import type { PregonModuleAsyncOptions, PregonModuleOptions } from './options.js';
import { PregonPublisher } from './pregon-publisher.js';
import { PregonRuntime } from './pregon-runtime.js';
import { PREGON_GATEWAY, PREGON_OPTIONS } from './tokens.js';

/**
 * The gateway in a Nest application, on its HTTP server and port. The module is global: `PREGON_GATEWAY` and
 * `PregonPublisher` can be injected everywhere. The gateway closes with the application.
 *
 * @example
 * ```ts
 * @Module({
 *   imports: [
 *     PregonModule.forRoot({ log: 'sqlite:data/pregon.db', routes: { events: { path: '/events' } } }),
 *   ],
 * })
 * export class AppModule {}
 * ```
 */
@Module({})
// biome-ignore lint/complexity/noStaticOnlyClass: Nest identifies modules by their class
export class PregonModule {
  static forRoot(options: PregonModuleOptions): DynamicModule {
    return moduleOf({ provide: PREGON_OPTIONS, useValue: options });
  }

  static forRootAsync<Dependencies extends unknown[]>({
    imports = [],
    inject = [],
    useFactory,
  }: PregonModuleAsyncOptions<Dependencies>): DynamicModule {
    return moduleOf({ provide: PREGON_OPTIONS, inject, useFactory }, imports);
  }
}

function moduleOf(options: Provider, imports: NonNullable<DynamicModule['imports']> = []): DynamicModule {
  return {
    module: PregonModule,
    global: true,
    imports: [DiscoveryModule, ...imports],
    providers: [
      options,
      {
        provide: PregonRuntime,
        inject: [PREGON_OPTIONS, DiscoveryService, HttpAdapterHost],
        useFactory: PregonRuntime.start,
      },
      { provide: PREGON_GATEWAY, inject: [PregonRuntime], useFactory: ({ gateway }: PregonRuntime) => gateway },
      {
        provide: PregonPublisher,
        inject: [PregonRuntime],
        useFactory: ({ gateway, outbox }: PregonRuntime) => new PregonPublisher(gateway, outbox),
      },
    ],
    exports: [PREGON_GATEWAY, PregonPublisher],
  };
}
