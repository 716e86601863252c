import { STATUS_CODES } from 'node:http';
import type { ErrorRequestHandler, RequestHandler, Response } from 'express';
import { DatabaseUnavailable } from './database/database.js';

/** In how many seconds a request that found no database may come again. */
const RETRY_AFTER = 2;

/** What is wrong with one field, pointed at as in RFC 9457 section 3: `#/email`. */
export interface FieldError {
  readonly pointer: string;
  readonly detail: string;
}

export interface ProblemOptions {
  readonly errors?: readonly FieldError[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer that is an error of the request, thrown from wherever it is noticed and sent as problem+json. */
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

/** Ends a route's methods: `OPTIONS` is told which there are, any other gets 405 (RFC 9110 section 15.5.6). */
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

/** Answers every error as problem+json (RFC 9457). What is our own fault is logged and told without details. */
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

/** What Express and its body parser throw for a request that they refuse carries its status and whether it may be told. */
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
