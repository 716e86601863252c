import { compileRules } from '../access/rules/compile-rules.js';
import { RulesAdmission } from '../access/rules-admission.js';
import { TokenAdmission } from '../access/tokens/token-admission.js';
import { TokenVerifier } from '../access/tokens/token-verifier.js';
import { VerifyAdmission } from '../access/verify-admission.js';
import type { Admission } from '../core/ports/admission.js';
import { systemClock } from '../core/time/clock.js';
import type { OriginPolicy } from '../transports/http/cors.js';
import type { AuthOptions, GatewayOptions, Logger } from './options.js';

/** The admissions that check identities and rules, in the order in which they are asked. */
export interface Auth {
  readonly admissions: readonly Admission[];
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
  if (!issuers) return { admissions: [...verifying(verify), rules], close() {} };
  const verifier = await TokenVerifier.open({ ...tokens, issuers }, { clock: systemClock, logger });
  const admission = new TokenAdmission({ verifier, cookie: tokens.cookie, origins });
  return { admissions: [...verifying(verify), admission, rules], close: () => verifier.close() };
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
    return compileRules(allow, { issuers });
  } catch (error) {
    if (error instanceof TypeError) throw new TypeError(`routes.${name}.${error.message}`, { cause: error });
    throw error;
  }
}

/** Rules without `auth` would be believed, and would do nothing. */
function assertNoRules({ routes = {}, namespaces }: Pick<GatewayOptions, 'routes' | 'namespaces'>): void {
  const withRules = Object.keys(routes).find((name) => routes[name]?.allow);
  if (withRules !== undefined) throw new TypeError(`routes.${withRules}.allow needs auth: add the issuers of tokens`);
  if (namespaces) throw new TypeError('namespaces needs auth: without it, every namespace is open');
}
