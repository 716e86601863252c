import { compileRules, unenforced } from '../access/rules/compile-rules.js';
import { RulesAdmission } from '../access/rules-admission.js';
import { TokenAdmission } from '../access/tokens/token-admission.js';
import { TokenVerifier } from '../access/tokens/token-verifier.js';
import { UrlTokens } from '../access/tokens/url-tokens.js';
import { VerifyAdmission } from '../access/verify-admission.js';
import type { Admission } from '../core/ports/admission.js';
import { systemClock } from '../core/time/clock.js';
import type { OriginPolicy } from '../transports/http/cors.js';
import type { AuthOptions, GatewayOptions, Logger } from './options.js';
import { GatewayTickets } from './tickets/gateway-tickets.js';

/** The admissions that check identities and rules, in the order in which they are asked. */
export interface Auth {
  /** How long rights outlive their token, because clocks differ; undefined for the default. */
  readonly leewayMs: number | undefined;
  readonly admissions: readonly Admission[];
  readonly tickets: GatewayTickets;
  /** Reads key files and key sets again. Never rejects: what cannot be read is logged, and the last good keys stay. */
  reload(): Promise<void>;
  close(): void;
}

/**
 * Opens what `auth` and the rules of the routes configure. Without `auth` there are no rules, and every route is open to
 * everybody whose origin is allowed.
 *
 * @throws TypeError | RangeError if an option is wrong
 * @throws PregonError CONFIG_INVALID if a key file cannot be used
 */
export async function openAuth(
  options: Pick<GatewayOptions, 'auth' | 'routes' | 'socketIo' | 'namespaces' | 'allowedOrigins'>,
  origins: OriginPolicy,
  logger: Logger,
): Promise<Auth | undefined> {
  const { auth, routes = {}, namespaces = {} } = options;
  if (!auth) {
    assertNoRules(options);
    return undefined;
  }
  assertAuthOptions(auth);
  const { issuers, verify, ...tokens } = auth;
  if (!issuers && !verify) throw new TypeError('auth needs issuers, or verify');
  if (tokens.cookie !== undefined && options.allowedOrigins === undefined) {
    throw new TypeError('auth.cookie needs allowedOrigins: a page of any site can make a browser send the cookie');
  }
  const names = (issuers ?? []).map(({ issuer }) => issuer);
  const compiled = new Map(
    Object.entries(routes).flatMap(([name, { allow }]) =>
      allow ? [[name, compileForRoute(name, allow, names)] as const] : [],
    ),
  );
  const publicRoutes = new Set(Object.keys(routes).filter((name) => routes[name]?.access === 'public'));
  const rules = new RulesAdmission({ routes: compiled, publicRoutes, namespaces });
  const tickets = new GatewayTickets();
  const first = [new UrlTokens(), ...verifying(verify)];
  const last = [tickets.admission, rules];
  if (!issuers) {
    return { leewayMs: undefined, admissions: [...first, ...last], tickets, async reload() {}, close() {} };
  }
  const verifier = await TokenVerifier.open({ ...tokens, issuers }, { clock: systemClock, logger });
  const admission = new TokenAdmission({ verifier, cookie: tokens.cookie, origins });
  return {
    leewayMs: tokens.leewayMs,
    admissions: [...first, admission, ...last],
    tickets,
    reload: () => verifier.reload(),
    close: () => verifier.close(),
  };
}

function verifying(verify: AuthOptions['verify']): readonly Admission[] {
  return verify ? [new VerifyAdmission(verify)] : [];
}

function compileForRoute(
  name: string,
  allow: Parameters<typeof compileRules>[0],
  issuers: readonly string[],
): ReturnType<typeof compileRules> {
  try {
    assertEnforced(allow);
    return compileRules(allow, { issuers });
  } catch (error) {
    if (error instanceof TypeError) throw new TypeError(`routes.${name}.${error.message}`, { cause: error });
    throw error;
  }
}

const AUTH_OPTIONS: ReadonlySet<string> = new Set([
  'issuers',
  'maxTokenLifetimeMs',
  'leewayMs',
  'cookie',
  'verify',
] satisfies (keyof AuthOptions)[]);

/** A mistyped option would be ignored, and its author would rely on it. */
function assertAuthOptions(auth: AuthOptions): void {
  const unknown = Object.keys(auth).find((name) => !AUTH_OPTIONS.has(name));
  if (unknown === undefined) return;
  throw new TypeError(`auth.${unknown} is not an option; the options are ${[...AUTH_OPTIONS].join(', ')}`);
}

function assertEnforced(allow: Parameters<typeof compileRules>[0]): void {
  for (const [index, rule] of allow.entries()) {
    const problem = unenforced(rule);
    if (problem !== undefined) throw new TypeError(`allow[${index}]: ${problem}`);
  }
}

/** Rules without `auth` would be believed, and would do nothing. */
function assertNoRules({ routes = {}, namespaces }: Pick<GatewayOptions, 'routes' | 'namespaces'>): void {
  const withRules = Object.keys(routes).find((name) => routes[name]?.allow);
  if (withRules !== undefined) throw new TypeError(`routes.${withRules}.allow needs auth: add the issuers of tokens`);
  if (namespaces) throw new TypeError('namespaces needs auth: without it, every namespace is open');
}
