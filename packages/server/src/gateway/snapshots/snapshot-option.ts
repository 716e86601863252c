import type { SnapshotScope } from '../../core/snapshots/route-snapshots.js';
import type { SnapshotSource } from '../../core/snapshots/snapshot.js';
import type { RouteOptions } from '../options.js';
import { inTime } from './snapshot-in-time.js';
import { type SnapshotSettings, snapshotFrom } from './snapshot-url.js';

/** The option `snapshot` of a route, checked. */
export interface RouteSnapshot {
  readonly read: SnapshotSource;
  /** Undefined if the snapshot has the rows of all topics. */
  readonly per: SnapshotScope | undefined;
}

const FORMS = 'must be a function, a URL, { per, read } or { per, url }, with per: "rights" or "identity"';

/**
 * @param name of the route, for errors
 * @throws TypeError if the option is wrong
 */
export function parseSnapshot(
  name: string,
  option: RouteOptions['snapshot'],
  settings: SnapshotSettings,
): RouteSnapshot | undefined {
  const at = `routes.${name}.snapshot`;
  if (option === undefined) return undefined;
  if (typeof option === 'function') return { read: inTime(() => option()), per: undefined };
  if (typeof option === 'string') return { read: snapshotFrom(at, option, settings), per: undefined };
  const { per, read, url, ...rest }: Record<string, unknown> = { ...option };
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw new TypeError(`${at}.${unknown} is not an option: it ${FORMS}`);
  if ((per !== 'rights' && per !== 'identity') || (read === undefined) === (url === undefined)) {
    throw new TypeError(`${at} ${FORMS}`);
  }
  if ('read' in option) {
    if (typeof option.read !== 'function') throw new TypeError(`${at}.read must be a function`);
    return { read: inTime((request) => option.read(request)), per };
  }
  if (typeof option.url !== 'string') throw new TypeError(`${at}.url must be a text`);
  if (!settings.tokens) {
    throw new TypeError(
      `${at}: a URL with "per" needs snapshotSecret, or snapshotSecretFile: it signs what the application is told about the client`,
    );
  }
  return { read: snapshotFrom(at, option.url, settings), per };
}
