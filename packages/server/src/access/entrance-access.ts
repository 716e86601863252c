import { CLOSE_CODES } from '@pregon/protocol';
import type { Admission, AdmissionRequest, EntranceAccess, Identity, Refusal } from '../core/ports/admission.js';
import { NO_TOKEN } from './rules/refusals.js';

const CHOICES: ReadonlySet<unknown> = new Set(['public', 'authenticated', 'application'] satisfies EntranceAccess[]);

const CLOSED: Refusal = Object.freeze({
  status: 403,
  reason: 'rights',
  message: 'this entrance is closed',
  close: CLOSE_CODES.FORBIDDEN,
  remedy:
    "with auth, a route needs allow or access: 'public', a namespace a line in namespaces, a component the option access",
});

/** @throws TypeError if it is not one of the choices */
export function assertEntranceAccess(access: unknown, option: string): void {
  if (access === undefined || CHOICES.has(access)) return;
  throw new TypeError(`${option} must be 'public', 'authenticated' or 'application'`);
}

/** @param access undefined closes the entrance */
export function refusalOf(access: EntranceAccess | undefined, identity: Identity | undefined): Refusal | undefined {
  if (access === 'public' || access === 'application') return undefined;
  if (!identity) return NO_TOKEN;
  return access === 'authenticated' ? undefined : CLOSED;
}

/** Admits to one entrance, such as a component. */
export class SingleAccess implements Admission {
  readonly name = 'access';
  readonly #access: EntranceAccess | undefined;

  /** @param access undefined closes the entrance */
  constructor(access: EntranceAccess | undefined) {
    this.#access = access;
  }

  admit(_: AdmissionRequest, identity: Identity | undefined): Refusal | undefined {
    return refusalOf(this.#access, identity);
  }
}
