import { PregonError } from '@pregon/protocol';
import type { RouteConfiguration } from '../../config/configuration.js';
import { isHttpUrl } from '../../config/http-url.js';
import type { FlagDescription } from '../flags.js';
import { UsageError } from '../usage-error.js';

/** The flag `--snapshot` of `pregon run`, see docs/operations/running.md#snapshots. */
export const SNAPSHOT_FLAG = {
  kind: 'text',
  value: '[ROUTE=]URL',
  repeats: true,
  description:
    "the application's URL that returns the rows of the route, {rows, sequence, …}: http://localhost:8080/snapshots/users; with several routes, ROUTE=URL for each that has one",
  secret: (value) => (holdsPassword(urlOf(value)) ? `use "snapshot:" in pregon.yml, with \${PASSWORD}` : undefined),
} as const satisfies FlagDescription;

/**
 * Routes with the snapshots that the command line names.
 *
 * @param named `URL`, or `ROUTE=URL`
 * @throws UsageError if a value is no URL, or does not say which of several routes it is for
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
      throw new PregonError('ROUTE_UNKNOWN', `--snapshot: there is no route "${name}"; there are: ${names}`);
    }
    if (given.has(name)) throw new UsageError(`--snapshot: the route "${name}" has one already`);
    given.add(name);
    all[name] = { ...route, snapshot };
  }
  return all;
}

function theOnlyOf(names: readonly string[]): string {
  const [first, ...others] = names;
  if (first !== undefined && others.length === 0) return first;
  throw new UsageError(`--snapshot: say of which route: --snapshot=${first}=URL (there are ${names.join(', ')})`);
}

/** A URL has a colon before any `=`, and the name of a route has none. */
function routeOf(value: string): string | undefined {
  return /^([\w.-]+)=/.exec(value)?.[1];
}

function urlOf(value: string): string {
  return value.replace(/^[\w.-]+=/, '');
}

function holdsPassword(url: string): boolean {
  return URL.canParse(url) && new URL(url).password !== '';
}
