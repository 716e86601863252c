export { OnDomainEvent } from './on-domain-event.js';
export type { PregonModuleAsyncOptions, PregonModuleOptions, PregonOutboxOptions } from './options.js';
export { PregonIoAdapter } from './pregon-io-adapter.js';
export { PregonModule } from './pregon-module.js';
export { PregonPublisher } from './pregon-publisher.js';
export { PREGON_GATEWAY } from './tokens.js';
