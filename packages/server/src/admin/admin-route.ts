import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AdmissionChain } from '../core/admission/admission-chain.js';
import type { Admission, Allowed } from '../core/ports/admission.js';

/** The decoded segments of a request path, by the names in the route's path. */
export type PathParameters = Readonly<Record<string, string>>;

/** Decides about a request with several admissions. */
export type AdminAccess = Pick<AdmissionChain, 'decide'>;

/** What `access` of a route found. */
export interface Admitted extends Allowed {
  /**
   * Asks `accessAgain` of the route.
   *
   * @throws HttpProblem if the client may no longer do what it asks for
   */
  assertStillAllowed(): Promise<void>;
}

/** A route of the HTTP port. */
export interface AdminRoute {
  readonly methods: readonly string[];
  /** `/health`, `/publish/:exchange/:topic`: a segment that starts with a colon matches any text that is not empty. */
  readonly path: string;
  /** Decides who may ask. */
  readonly access: 'anyone' | Admission | AdminAccess;
  /** Decides again, with what `access` found, when `answer` asks for it. @default the client is still allowed */
  readonly accessAgain?: AdminAccess | undefined;
  /**
   * Answers a request for this path with one of the methods. A thrown `PregonError` is answered with the status for its
   * code. Any other error is answered with 500 and logged.
   *
   * @throws HttpProblem
   */
  answer(
    request: IncomingMessage,
    response: ServerResponse,
    parameters: PathParameters,
    admitted: Admitted,
  ): void | Promise<void>;
}

/** The parameters of a requested path; undefined if the path does not match the route. */
export function matchPath({ path }: AdminRoute, segments: readonly string[]): PathParameters | undefined {
  const wanted = path.slice(1).split('/');
  if (wanted.length !== segments.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [index, name] of wanted.entries()) {
    const segment = segments[index] ?? '';
    if (!name.startsWith(':')) {
      if (name !== segment) return undefined;
    } else if (segment === '') return undefined;
    else parameters[name.slice(1)] = segment;
  }
  return parameters;
}
