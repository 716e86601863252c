import { PregonError } from '@pregon/protocol';
import type { RouteConfiguration } from '../../config/configuration.js';
import { isHttpUrl } from '../../config/http-url.js';
import type { FlagDescription } from '../flags.js';
import { UsageError } from '../usage-error.js';

/** The flag `--snapshot` of `pregon run`; see docs/operations/running.md#snapshots. */
export const SNAPSHOT_FLAG = {
  kind: 'text',
  value: '[ROUTE=]URL',
  repeats: true,
  description:
    "the application's URL that returns the rows of a route as {rows, sequence, …}: http://localhost:8080/snapshots/users; with several routes, write ROUTE=URL for each route with a snapshot",
  secret: (value) => (holdsPassword(urlOf(value)) ? `use "snapshot:" in pregon.yml, with \${PASSWORD}` : undefined),
} as const satisfies FlagDescription;

/**
 * Adds the snapshots of the command line to the routes.
 *
 * @param named `URL`, or `ROUTE=URL`
 * @throws UsageError if a value is not a URL, or names no route although there are several
 * @throws PregonError ROUTE_UNKNOWN
 */
export function addSnapshots(
  routes: Readonly<Record<string, RouteConfiguration>>,
  named: readonly string[],
): Record<string, RouteConfiguration> {
  const all: Record<string, RouteConfiguration> = { ...routes };
  const given = new Set<string>();
  for (const value of named) {
    const name = routeOf(value) ?? theOnlyOf(Object.keys(routes));
    const snapshot = urlOf(value);
    if (!isHttpUrl(snapshot)) {
      throw new UsageError(
        '--snapshot must be an http:// or https:// URL: --snapshot=http://localhost:8080/snapshots/users',
      );
    }
    const route = Object.hasOwn(all, name) ? all[name] : undefined;
    if (!route) {
      const names = Object.keys(routes).join(', ');
      throw new PregonError('ROUTE_UNKNOWN', `--snapshot: there is no route "${name}"; the routes are ${names}`);
    }
    if (given.has(name)) throw new UsageError(`--snapshot: the route "${name}" was given two snapshots; give only one`);
    given.add(name);
    all[name] = { ...route, snapshot: withUrl(route.snapshot, snapshot) };
  }
  return all;
}

/** The flag replaces the URL of the configuration, and keeps what the snapshot depends on. */
function withUrl(configured: RouteConfiguration['snapshot'], url: string): RouteConfiguration['snapshot'] {
  return typeof configured === 'object' && 'url' in configured ? { ...configured, url } : url;
}

function theOnlyOf(names: readonly string[]): string {
  const [first, ...others] = names;
  if (first !== undefined && others.length === 0) return first;
  throw new UsageError(
    `--snapshot: name the route of the snapshot, such as --snapshot=${first}=URL (the routes are ${names.join(', ')})`,
  );
}

/** A URL has a colon before any `=`, and a route name has no colon. */
function routeOf(value: string): string | undefined {
  return /^([\w.-]+)=/.exec(value)?.[1];
}

function urlOf(value: string): string {
  return value.replace(/^[\w.-]+=/, '');
}

function holdsPassword(url: string): boolean {
  return URL.canParse(url) && new URL(url).password !== '';
}
