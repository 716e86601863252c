import type { Configuration, RouteConfiguration } from '../../config/configuration.js';

/** How many names a part of the line lists. */
const MOST_NAMES = 5;

export interface AccessParts {
  readonly auth: Configuration['auth'];
  readonly routes: Readonly<Record<string, Pick<RouteConfiguration, 'allow' | 'access'>>>;
  readonly allowedOrigins: readonly string[] | undefined;
}

/** The line of the banner that says who may connect, so that an open gateway is not open by oversight. */
export function accessOf({ auth, routes, allowedOrigins }: AccessParts): string {
  if (!auth) {
    const pages = allowedOrigins === undefined ? 'pages of this machine' : `pages of ${listOf(allowedOrigins)}`;
    return `open, without tokens, to all programs and to ${pages}`;
  }
  const names = Object.keys(routes);
  const open = names.filter((name) => !routes[name]?.allow && routes[name]?.access === 'public');
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

function listOf(names: readonly string[]): string {
  if (names.length === 0) return 'no origin';
  const more = names.length - MOST_NAMES;
  return names.slice(0, MOST_NAMES).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
