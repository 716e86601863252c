/**
 * The token of the application's gateway: `@Inject(PREGON_GATEWAY) gateway: Gateway`. Its `io` is the Socket.IO server.
 */
export const PREGON_GATEWAY = Symbol('PREGON_GATEWAY');

export const PREGON_OPTIONS = Symbol('PREGON_OPTIONS');
