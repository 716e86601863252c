import type { FailedAuthentications } from '../access/limits/failed-authentications.js';
import { PublishRules } from '../access/publish-rules.js';
import { compileRules } from '../access/rules/compile-rules.js';
import type { RouteRules } from '../access/rules/route-rules.js';
import { RulesAdmission } from '../access/rules-admission.js';
import { UrlTokens } from '../access/tokens/url-tokens.js';
import type { AskingAdmission } from '../core/admission/question.js';
import type { OriginPolicy } from '../transports/http/cors.js';
import { publicRoutesOf } from './access/access-mode.js';
import { type IdentitySource, openIdentitySource } from './access/identity-source.js';
import type { AuthOptions, GatewayOptions, Logger } from './options.js';
import { GatewayTickets } from './tickets/gateway-tickets.js';

/** The admissions that check identities and rules, in the order in which they are asked. */
export interface Auth extends IdentitySource {
  readonly tickets: GatewayTickets;
  /** The admissions of publishers over HTTP; undefined if no rule grants to publish. */
  readonly publishing: readonly AskingAdmission[] | undefined;
}

type RulesOptions = Pick<GatewayOptions, 'routes' | 'namespaces'>;
interface AuthContext {
  readonly origins: OriginPolicy;
  readonly failures: FailedAuthentications;
  readonly logger: Logger;
}

/**
 * Opens what `auth` and the rules of the routes configure. Without `auth` there are no rules: `access` says whether other
 * machines may connect.
 *
 * @throws TypeError | RangeError if an option is wrong
 * @throws PregonError CONFIG_INVALID if a key file cannot be used
 */
export async function openAuth(
  options: RulesOptions & Pick<GatewayOptions, 'auth' | 'allowedOrigins'>,
  { origins, failures, logger }: AuthContext,
): Promise<Auth | undefined> {
  const { auth } = options;
  if (!auth) {
    assertNoRules(options);
    return undefined;
  }
  const source = await openIdentitySource(auth, { origins, failures, logger, allowedOrigins: options.allowedOrigins });
  try {
    const tickets = new GatewayTickets();
    const compiled = compileRoutes(options, auth);
    const identities = [new UrlTokens(), ...source.admissions];
    const publishRules = new PublishRules(compiled.values());
    return {
      ...source,
      tickets,
      admissions: [...identities, tickets.admission, openRules(options, compiled)],
      publishing: publishRules.isEmpty ? undefined : [...identities, publishRules],
    };
  } catch (error) {
    source.close();
    throw error;
  }
}

/** The rules of the routes that have any, by the name of the route. */
function compileRoutes({ routes = {} }: RulesOptions, { issuers = [] }: AuthOptions): Map<string, RouteRules> {
  const names = issuers.map(({ issuer }) => issuer);
  return new Map(
    Object.entries(routes).flatMap(([name, { allow }]) =>
      allow ? [[name, compileForRoute(name, allow, names)] as const] : [],
    ),
  );
}

function openRules({ routes = {}, namespaces = {} }: RulesOptions, compiled: Map<string, RouteRules>): RulesAdmission {
  return new RulesAdmission({ routes: compiled, publicRoutes: publicRoutesOf({ routes }), namespaces });
}

function compileForRoute(
  name: string,
  allow: Parameters<typeof compileRules>[0],
  issuers: readonly string[],
): RouteRules {
  try {
    return compileRules(allow, { issuers });
  } catch (error) {
    if (error instanceof TypeError) throw new TypeError(`routes.${name}.${error.message}`, { cause: error });
    throw error;
  }
}

/** Rules without `auth` would be believed, and would do nothing. */
function assertNoRules({ routes = {}, namespaces }: RulesOptions): void {
  const withRules = Object.keys(routes).find((name) => routes[name]?.allow);
  if (withRules !== undefined) throw new TypeError(`routes.${withRules}.allow needs auth: add the issuers of tokens`);
  if (namespaces)
    throw new TypeError('namespaces needs auth: without it, access of the gateway applies to every namespace');
}
