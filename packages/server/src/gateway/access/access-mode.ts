import { PregonError } from '@pregon/protocol';
import { ThisMachine } from '../../access/this-machine.js';

/** The options that say who may connect. */
export interface AccessOptions {
  /** Opens everything to every client whose origin is allowed. */
  readonly access?: unknown;
  /** Only whether it is set counts here. */
  readonly auth?: unknown;
  readonly routes?: Readonly<Record<string, { readonly access?: unknown }>> | undefined;
}

/** The names of the routes that are open to every client whose origin is allowed. */
export function publicRoutesOf({ routes = {} }: Pick<AccessOptions, 'routes'>): ReadonlySet<string> {
  return new Set(Object.keys(routes).filter((name) => routes[name]?.access === 'public'));
}

/** The admission that admits this machine only; undefined if `auth` or `access` says who may connect. */
export function thisMachineFor(options: AccessOptions): ThisMachine | undefined {
  if (options.auth !== undefined || options.access === 'public') return undefined;
  return new ThisMachine({ publicRoutes: publicRoutesOf(options) });
}

/**
 * A variable that should hold the options of `auth` may be empty. The gateway must then not be open, so only `undefined`
 * means that `auth` is not set.
 *
 * @throws TypeError if `auth` is not an object, or if `access` of the gateway or of a route is not one of its values, or
 *   has no effect
 */
export function assertAccess({ access, auth, routes = {} }: AccessOptions): void {
  if (auth !== undefined && (typeof auth !== 'object' || auth === null))
    throw new TypeError(
      'auth must be an object with issuers, verify or hook; leave it out if clients need no identity',
    );
  assertPublic(access, 'access');
  for (const [name, route] of Object.entries(routes)) assertPublic(route.access, `routes.${name}.access`);
  if (auth !== undefined && access !== undefined)
    throw new TypeError(`access cannot be set beside auth: ${BESIDE_AUTH}`);
}

/** What to do if a gateway has `auth` and is to be open as well. */
export const BESIDE_AUTH =
  "remove one of the two; with auth, open single routes with access: 'public' in their options";

/**
 * With `NODE_ENV=production`, a gateway must not start that admits this machine only: nobody could connect, or an
 * oversight would remain unnoticed.
 *
 * @throws PregonError CONFIG_INVALID if nothing says who may connect
 */
export function assertProductionAccess(options: AccessOptions, isProduction: boolean): void {
  if (!isProduction || options.auth !== undefined || options.access !== undefined) return;
  if (publicRoutesOf(options).size > 0) return;
  throw new PregonError(
    'CONFIG_INVALID',
    'NODE_ENV is production, but nothing says who may connect: configure auth; or open the gateway to every client ' +
      "whose origin is allowed, with --access=public, PREGON_ACCESS=public or access: 'public'; or unset NODE_ENV, so " +
      'that only this machine may connect (see docs/guide/access.md)',
  );
}

function assertPublic(access: unknown, option: string): void {
  if (access === undefined || access === 'public') return;
  throw new TypeError(`${option} must be 'public'; leave it out if not every client may connect`);
}
