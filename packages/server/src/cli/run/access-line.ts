import type { Configuration, RouteConfiguration } from '../../config/configuration.js';
import type { AccessPlan } from './access-plan.js';

/** How many names a part of the line lists. */
const MOST_NAMES = 5;

export interface AccessParts extends AccessPlan {
  readonly auth: Configuration['auth'];
  readonly routes: Readonly<Record<string, Pick<RouteConfiguration, 'allow' | 'access'>>>;
}

/** The line of the banner that says who may connect, so that a gateway is neither open nor closed by oversight. */
export function accessOf({ access, auth, routes, allowedOrigins, allowNullOrigin }: AccessParts): string {
  const names = Object.keys(routes);
  const open = names.filter((name) => !routes[name]?.allow && routes[name]?.access === 'public');
  const pages = pagesOf(allowedOrigins, allowNullOrigin);
  if (access === 'public') return `public: without tokens, all programs and ${pages}`;
  if (!auth) {
    const others = open.length === 0 ? '' : `; open to all programs and ${pages}: ${listOf(open)}`;
    return `this machine only${others}`;
  }
  const closed = names.filter((name) => !routes[name]?.allow && routes[name]?.access !== 'public');
  const parts = [identitiesOf(auth)];
  if (open.length > 0) parts.push(`open to all: ${listOf(open)}`);
  if (closed.length > 0) parts.push(`closed: ${listOf(closed)}`);
  return parts.join('; ');
}

function identitiesOf({ issuers = [], hook }: NonNullable<AccessParts['auth']>): string {
  if (hook === undefined) return `tokens of ${listOf(issuers.map(({ issuer }) => issuer))}`;
  // A query may hold a secret of the operator's.
  return `identities of ${hook.split(/[?#]/, 1)[0]}`;
}

function pagesOf(allowedOrigins: readonly string[] | undefined, allowNullOrigin: boolean): string {
  const named = allowedOrigins === undefined ? 'this machine' : listOf(allowedOrigins);
  return `pages of ${named}${allowNullOrigin ? ' and of the origin null' : ''}`;
}

function listOf(names: readonly string[]): string {
  if (names.length === 0) return 'no origin';
  const more = names.length - MOST_NAMES;
  return names.slice(0, MOST_NAMES).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
