import { WINDOW_BITS } from './deflate.js';

const TOKEN = "[!#$%&'*+\\-.^_`|~\\w]+";

/**
 * The grammar of RFC 6455 section 9.1, with two restrictions. A quoted value must be a token, as the RFC's text
 * requires. No space is allowed around `=`, for which `ws` would refuse the connection.
 */
const EXTENSION = new RegExp(`^[ \\t]*${TOKEN}([ \\t]*;[ \\t]*${TOKEN}(=("${TOKEN}"|${TOKEN}))?)*[ \\t]*$`);

/** Validators of the parameters; the value is undefined if the parameter has none. */
const PARAMETERS: Readonly<Record<string, (value: string | undefined) => boolean>> = {
  server_no_context_takeover: (value) => value === undefined,
  client_no_context_takeover: (value) => value === undefined,
  server_max_window_bits: (value) => value !== undefined && isWindow(value),
  client_max_window_bits: (value) => value === undefined || isWindow(value),
};

/** The part of a client's offer that is accepted. */
export interface Offer {
  /**
   * Whether messages may refer to earlier ones: the client did not ask for `server_no_context_takeover` (RFC 7692
   * section 7.1.1.1).
   */
  readonly remembers: boolean;
}

/**
 * The client's first offer of permessage-deflate that our frames comply with (RFC 7692 section 7.1); undefined if there
 * is none. An offer that is malformed, or whose window is too small, is declined, and the connection continues
 * uncompressed. `ws` would refuse the connection instead.
 *
 * @param header `Sec-WebSocket-Extensions` of the handshake
 */
export function compressionOffer(header: string | undefined): Offer | undefined {
  const extensions = header?.split(',') ?? [];
  if (!extensions.every((extension) => EXTENSION.test(extension))) return undefined;
  const offers = extensions
    .map((extension) => extension.split(';').map((part) => part.trim()))
    .filter(([name]) => name === 'permessage-deflate')
    .map(([, ...parameters]) => parameters.map(readParameter));
  const taken = offers.every(isValid) ? offers.find(fits) : undefined;
  return taken && { remembers: !taken.some(([name]) => name === 'server_no_context_takeover') };
}

type Parameter = readonly [name: string, value: string | undefined];

function readParameter(text: string): Parameter {
  const [name = '', value] = text.split('=').map((part) => part.trim());
  return [name, value?.replaceAll('"', '')];
}

function isValid(parameters: readonly Parameter[]): boolean {
  const names = new Set(parameters.map(([name]) => name));
  const known = ([name, value]: Parameter) => Object.hasOwn(PARAMETERS, name) && PARAMETERS[name]?.(value) === true;
  return names.size === parameters.length && parameters.every(known);
}

function fits(parameters: readonly Parameter[]): boolean {
  return parameters.every(([name, value]) => name !== 'server_max_window_bits' || Number(value) >= WINDOW_BITS);
}

function isWindow(value: string): boolean {
  return /^([89]|1[0-5])$/.test(value);
}
