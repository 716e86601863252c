import type { Admission, AdmissionRequest, Decision, EntranceAccess, Identity } from '../core/ports/admission.js';
import { NamedAccess } from './entrance-access.js';
import type { RouteRules } from './rules/route-rules.js';

export interface RulesAdmissionOptions {
  /** The rules of each route, by the name of the route. A route without rules is closed. */
  readonly routes: ReadonlyMap<string, RouteRules>;
  /** The routes for everybody whose origin is allowed, by name. */
  readonly publicRoutes: ReadonlySet<string>;
  /** Access to the namespaces of Socket.IO that are not routes, by name. */
  readonly namespaces: Readonly<Record<string, EntranceAccess>>;
}

/**
 * Decides what a client may do, once its identity is known. Everything that no rule opens is closed, an entrance that
 * this admission does not know too.
 */
export class RulesAdmission implements Admission {
  readonly name = 'rules';
  readonly #options: RulesAdmissionOptions;
  readonly #namespaces: NamedAccess;

  constructor(options: RulesAdmissionOptions) {
    this.#options = options;
    this.#namespaces = new NamedAccess(options.namespaces);
  }

  admit({ entrance: { kind, name } }: Pick<AdmissionRequest, 'entrance'>, identity: Identity | undefined): Decision {
    switch (kind) {
      case 'route':
        return this.#admitToRoute(name, identity);
      case 'namespace':
        return this.#namespaces.admit(name, identity);
      case 'component':
        // Decided by the option `access` of its mount.
        return undefined;
      case 'socket.io':
        // The client may show its token later, and enters no namespace before.
        return undefined;
      default:
        return this.#namespaces.closed(identity);
    }
  }

  #admitToRoute(name: string, identity: Identity | undefined): Decision {
    const rules = this.#options.routes.get(name);
    if (!rules) return this.#options.publicRoutes.has(name) ? undefined : this.#namespaces.closed(identity);
    const rights = rules.rightsOf(identity);
    return 'status' in rights ? rights : { rights };
  }
}
