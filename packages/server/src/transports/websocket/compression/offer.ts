import { WINDOW_BITS } from './deflate.js';

const TOKEN = "[!#$%&'*+\\-.^_`|~\\w]+";

/**
 * The grammar of RFC 6455 section 9.1 without what it allows in quotes beyond tokens, which it forbids in words, and without space around
 * `=`, for which `ws` would refuse the connection.
 */
const EXTENSION = new RegExp(`^[ \\t]*${TOKEN}([ \\t]*;[ \\t]*${TOKEN}(=("${TOKEN}"|${TOKEN}))?)*[ \\t]*$`);

/** By parameter, what values it may have; undefined where there is none. */
const PARAMETERS: Readonly<Record<string, (value: string | undefined) => boolean>> = {
  server_no_context_takeover: (value) => value === undefined,
  client_no_context_takeover: (value) => value === undefined,
  server_max_window_bits: (value) => value !== undefined && isWindow(value),
  client_max_window_bits: (value) => value === undefined || isWindow(value),
};

/** What can be agreed on with a client. */
export interface Offer {
  /** Whether it can do without being told to remember nothing between messages: it did not ask for that (RFC 7692 section 7.1.1.1). */
  readonly remembers: boolean;
}

/**
 * What a client offers of permessage-deflate that our frames keep to: the first that does (RFC 7692 section 7.1). Undefined where there is
 * none. What is malformed or asks for too small a window is declined, so that the connection goes uncompressed; `ws`, asked for it, would
 * refuse the connection.
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
