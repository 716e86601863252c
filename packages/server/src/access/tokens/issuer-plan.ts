import { DEFAULT_MAX_TOKEN_LIFETIME_MS } from '@pregon/protocol';
import { isLoopback } from '../hosts.js';
import type { IssuerOptions, TokenOptions } from './issuer-options.js';
import { type Algorithm, isAlgorithm, isSymmetric } from './keys/algorithms.js';
import type { KeyForm } from './keys/key-text.js';

/** Where the keys of an issuer are. */
export type KeyPlace =
  | { readonly kind: 'jwks'; readonly url: string }
  | { readonly kind: 'text'; readonly form: KeyForm; readonly text: Uint8Array }
  | { readonly kind: 'files'; readonly form: KeyForm; readonly paths: readonly string[] };

/** An issuer as it was configured, checked. */
export interface IssuerPlan {
  /** Where it is in the configuration, for errors: `auth.issuers[0]`. */
  readonly at: string;
  readonly issuer: string;
  /** Empty: a token must not have `aud`. */
  readonly audiences: ReadonlySet<string>;
  readonly algorithms: ReadonlySet<Algorithm>;
  readonly keys: KeyPlace;
}

export interface TokenPlan {
  readonly issuers: readonly IssuerPlan[];
  readonly maxTokenLifetimeMs: number;
  readonly leewayMs: number;
}

const LEEWAY_MS = 5_000;
const MOST_LEEWAY_MS = 60_000;
const MOST_FILES = 8;
const MOST_ISSUER_CHARACTERS = 1_024;

const KEY_OPTIONS = ['jwks', 'secret', 'secretFile', 'publicKey', 'publicKeyFile'] as const;
const OPTIONS: readonly string[] = ['issuer', 'audience', 'algorithms', ...KEY_OPTIONS];

const DEFAULT_ALGORITHMS: Readonly<Record<(typeof KEY_OPTIONS)[number], readonly Algorithm[]>> = {
  jwks: ['RS256', 'ES256', 'EdDSA'],
  secret: ['HS256'],
  secretFile: ['HS256'],
  publicKey: [],
  publicKeyFile: [],
};

/** @throws TypeError | RangeError that says which option is wrong, and what it should be. No key is in the text. */
export function planTokens({ issuers, maxTokenLifetimeMs, leewayMs = LEEWAY_MS }: TokenOptions): TokenPlan {
  if (!Array.isArray(issuers) || issuers.length === 0) throw new TypeError('auth.issuers: name at least one issuer');
  if (!(Number.isFinite(leewayMs) && leewayMs >= 0 && leewayMs <= MOST_LEEWAY_MS)) {
    throw new RangeError(`auth.leewayMs must be from 0 to ${MOST_LEEWAY_MS} milliseconds`);
  }
  const plans = issuers.map(planIssuer);
  for (const [index, { issuer, at }] of plans.entries()) {
    const first = plans.findIndex((other) => other.issuer === issuer);
    if (first === index) continue;
    throw new TypeError(`${at}: ${JSON.stringify(issuer)} is also auth.issuers[${first}]; each issuer is named once`);
  }
  return { issuers: plans, maxTokenLifetimeMs: normalizeLifetime(maxTokenLifetimeMs), leewayMs };
}

/** The longest time that an identity may last, in milliseconds. @throws RangeError */
export function normalizeLifetime(maxTokenLifetimeMs = DEFAULT_MAX_TOKEN_LIFETIME_MS): number {
  if (Number.isFinite(maxTokenLifetimeMs) && maxTokenLifetimeMs >= 1_000) return maxTokenLifetimeMs;
  throw new RangeError('auth.maxTokenLifetimeMs must be at least 1000 milliseconds');
}

/** @throws TypeError that begins with the place of the option, `auth.issuers[0].algorithms`. No key is in the text. */
export function planIssuer(options: IssuerOptions, index: number): IssuerPlan {
  const at = `auth.issuers[${index}]`;
  if (typeof options !== 'object' || options === null) throw new TypeError(`${at} must be an object`);
  const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name));
  if (unknown !== undefined) throw new TypeError(`${at}: unknown option ${JSON.stringify(unknown.slice(0, 80))}`);
  const { issuer } = options;
  if (typeof issuer !== 'string' || issuer === '' || issuer.length > MOST_ISSUER_CHARACTERS) {
    throw new TypeError(`${at}.issuer must be a text of 1 to ${MOST_ISSUER_CHARACTERS} characters`);
  }
  const given = KEY_OPTIONS.filter((name) => options[name] !== undefined);
  const [from, ...more] = given;
  if (from === undefined || more.length > 0) {
    throw new TypeError(
      `${at} must have exactly one of ${KEY_OPTIONS.join(', ')}; it has ${given.join(', ') || 'none'}`,
    );
  }
  const audiences = new Set(toList(options.audience, `${at}.audience`));
  if (from === 'jwks' && audiences.size === 0) {
    throw new TypeError(`${at}.audience is required with jwks: a key set signs for all applications of its issuer`);
  }
  return { at, issuer, audiences, algorithms: algorithmsOf(options, from, at), keys: keyPlace(options, from, at) };
}

function algorithmsOf(
  { algorithms }: IssuerOptions,
  from: keyof typeof DEFAULT_ALGORITHMS,
  at: string,
): Set<Algorithm> {
  const names = algorithms === undefined ? DEFAULT_ALGORITHMS[from] : toList(algorithms, `${at}.algorithms`);
  if (names.length === 0) {
    throw new TypeError(`${at}.algorithms is required with ${from}: name those that the issuer signs with, as [ES256]`);
  }
  return new Set(
    names.map((name) => {
      if (!isAlgorithm(name)) throw new TypeError(`${at}.algorithms: ${JSON.stringify(name)} is not supported`);
      if (isSymmetric(name) === from.startsWith('secret')) return name;
      throw new TypeError(`${at}.algorithms: ${name} cannot be used with ${from}`);
    }),
  );
}

function keyPlace(options: IssuerOptions, from: keyof typeof DEFAULT_ALGORITHMS, at: string): KeyPlace {
  const { jwks, secret, secretFile, publicKey, publicKeyFile } = options;
  const form = from.startsWith('secret') ? 'secret' : 'public key';
  if (from === 'jwks') return { kind: 'jwks', url: jwksUrl(jwks, `${at}.jwks`) };
  if (from === 'secret' || from === 'publicKey') {
    const given = secret ?? publicKey;
    if (typeof given === 'string') return { kind: 'text', form, text: Buffer.from(given) };
    if (from === 'secret' && given instanceof Uint8Array) return { kind: 'text', form, text: Uint8Array.from(given) };
    throw new TypeError(`${at}.${from} must be a text${from === 'secret' ? ' or bytes' : ''}`);
  }
  const paths = toList(secretFile ?? publicKeyFile, `${at}.${from}`);
  if (paths.length > 0 && paths.length <= MOST_FILES) return { kind: 'files', form, paths };
  throw new TypeError(`${at}.${from} must name from 1 to ${MOST_FILES} files`);
}

/** Over plain http anybody between the two could give the gateway other keys. */
function jwksUrl(value: unknown, at: string): string {
  if (typeof value !== 'string' || !URL.canParse(value)) throw new TypeError(`${at} must be a URL`);
  const { protocol, hostname, username, password, href } = new URL(value);
  if (protocol !== 'https:' && !(protocol === 'http:' && isLoopback(hostname))) {
    throw new TypeError(`${at} must be https, or http on this machine (localhost, 127.0.0.1, [::1])`);
  }
  if (username !== '' || password !== '') throw new TypeError(`${at} must not contain a user name or password`);
  return href;
}

function toList(value: unknown, at: string): readonly string[] {
  const list: readonly unknown[] = value === undefined ? [] : Array.isArray(value) ? value : [value];
  return list.map((entry) => {
    if (typeof entry === 'string' && entry !== '') return entry;
    throw new TypeError(`${at} must be a text, or a list of texts, and none may be empty`);
  });
}
