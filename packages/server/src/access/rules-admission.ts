import type { Admission, AdmissionRequest, Decision, EntranceAccess, Identity } from '../core/ports/admission.js';
import { assertEntranceAccess, refusalOf } from './entrance-access.js';
import type { RouteRules } from './rules/route-rules.js';

export interface RulesAdmissionOptions {
  /** The rules of each route, by the name of the route. A route without rules is closed. */
  readonly routes: ReadonlyMap<string, RouteRules>;
  /** The names of the routes that are open to every client whose origin is allowed. */
  readonly publicRoutes: ReadonlySet<string>;
  /** Access to the namespaces of Socket.IO that are not routes, by name. */
  readonly namespaces: Readonly<Record<string, EntranceAccess>>;
}

/**
 * Decides what a client may do, once its identity is known. Every entrance that no rule opens is closed, including an
 * entrance of an unknown kind.
 */
export class RulesAdmission implements Admission {
  readonly name = 'rules';
  readonly #options: RulesAdmissionOptions;
  readonly #namespaces: ReadonlyMap<string, EntranceAccess>;

  /** @throws TypeError if the access to a namespace is not one of its values */
  constructor(options: RulesAdmissionOptions) {
    this.#options = options;
    this.#namespaces = new Map(Object.entries(options.namespaces));
    for (const [name, access] of this.#namespaces) assertEntranceAccess(access, `namespaces[${JSON.stringify(name)}]`);
  }

  admit({ entrance: { kind, name } }: Pick<AdmissionRequest, 'entrance'>, identity: Identity | undefined): Decision {
    switch (kind) {
      case 'route':
        return this.#admitToRoute(name, identity);
      case 'namespace':
        return refusalOf(this.#namespaces.get(name), identity);
      case 'component':
        // Decided by the option `access` of its mount.
        return undefined;
      case 'socket.io':
        // The client may show its token later, and enters no namespace before.
        return undefined;
      default:
        return refusalOf(undefined, identity);
    }
  }

  #admitToRoute(name: string, identity: Identity | undefined): Decision {
    const rules = this.#options.routes.get(name);
    if (!rules) return refusalOf(this.#options.publicRoutes.has(name) ? 'public' : undefined, identity);
    const rights = rules.rightsOf(identity);
    return 'status' in rights ? rights : { rights };
  }
}
