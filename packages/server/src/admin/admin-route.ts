import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Admission } from '../core/ports/admission.js';

/** The segments of a request's path, by the names that the route gives them; decoded. */
export type PathParameters = Readonly<Record<string, string>>;

/** One row of the table that the HTTP port answers from. */
export interface AdminRoute {
  readonly methods: readonly string[];
  /** `/health`, `/publish/:exchange/:topic`: a segment that begins with a colon stands for any text but the empty one. */
  readonly path: string;
  /** Decides who may ask. */
  readonly access: 'anyone' | Admission;
  /**
   * Answers a request with one of the methods to the path. A `PregonError` that it throws is answered with a status that fits its code,
   * any other error with 500, and logged.
   *
   * @throws HttpProblem
   */
  answer(request: IncomingMessage, response: ServerResponse, parameters: PathParameters): void | Promise<void>;
}

/** The parameters of a path, as it was requested; undefined if the route has another path. */
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
