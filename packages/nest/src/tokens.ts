/** `@Inject(PREGON_GATEWAY) gateway: Gateway`: the gateway of the application, whose `io` is the server of Socket.IO. */
export const PREGON_GATEWAY = Symbol('PREGON_GATEWAY');

export const PREGON_OPTIONS = Symbol('PREGON_OPTIONS');
