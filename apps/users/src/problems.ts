import { STATUS_CODES } from 'node:http';
import type { ErrorRequestHandler, RequestHandler, Response } from 'express';
import { DatabaseUnavailable } from './database/database.js';

/** After how many seconds a client may retry if the database was unavailable. */
const RETRY_AFTER = 2;

/** An error in one field, with a pointer as in RFC 9457 section 3: `#/email`. */
export interface FieldError {
  readonly pointer: string;
  readonly detail: string;
}

export interface ProblemOptions {
  readonly errors?: readonly FieldError[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** An error response to a request. It can be thrown anywhere, and is sent as problem+json. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly errors: readonly FieldError[] | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, detail: string, { errors, headers = {} }: ProblemOptions = {}) {
    super(detail);
    this.status = status;
    this.errors = errors;
    this.headers = headers;
  }
}

/**
 * Handles the other methods of a route: `OPTIONS` gets the list of methods, any other gets 405 (RFC 9110 section
 * 15.5.6).
 */
export function onlyMethods(...methods: readonly string[]): RequestHandler {
  const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
  return (request, response) => {
    if (request.method !== 'OPTIONS') {
      throw new Problem(405, `${request.method} is not allowed here; allowed: ${allow}.`, {
        headers: { Allow: allow },
      });
    }
    response.set('Allow', allow).status(204).end();
  };
}

export const notFound: RequestHandler = (request) => {
  throw new Problem(404, `There is nothing at ${request.path}.`);
};

/** Answers every error as problem+json (RFC 9457). An internal error is logged, and the answer has no details. */
export function answerProblems(logError: (error: unknown) => void): ErrorRequestHandler {
  return (error, _request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const problem = asProblem(error);
    if (!problem) logError(error);
    sendProblem(response, problem ?? new Problem(500, 'The application failed; the failure was logged.'));
  };
}

function sendProblem(response: Response, { status, message, errors, headers }: Problem): void {
  const title = STATUS_CODES[status] ?? 'Error';
  response
    .status(status)
    .set(headers)
    .type('application/problem+json')
    .send(JSON.stringify({ type: 'about:blank', title, status, detail: message, ...(errors ? { errors } : {}) }));
}

/** Errors of Express and its body parser for a refused request have a `status`. */
function asProblem(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error;
  if (error instanceof DatabaseUnavailable) {
    return new Problem(503, 'The database does not answer for now; try again in a few seconds.', {
      headers: { 'Retry-After': String(RETRY_AFTER) },
    });
  }
  if (!(error instanceof Error) || !('status' in error) || typeof error.status !== 'number') return undefined;
  if (error.status < 400 || error.status >= 500) return undefined;
  const malformed = 'type' in error && error.type === 'entity.parse.failed';
  return new Problem(error.status, malformed ? `The body is not JSON: ${error.message}` : error.message);
}
