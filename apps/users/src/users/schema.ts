import { z } from 'zod';
import { type FieldError, Problem } from '../problems.js';

/** A user, as in the table and in its events. */
export interface User {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  /** RFC 3339, in UTC. */
  readonly createdAt: string;
  /** When name or email last changed; RFC 3339, in UTC. */
  readonly updatedAt: string;
}

/** The members of a user that a client sets. */
export type UserDraft = Pick<User, 'id' | 'name' | 'email'>;

/**
 * Control characters would spoil every list that shows them. A lone surrogate cannot be encoded as UTF-8, so the row
 * would have another text than its event.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cs}]/u;

/** One word of a topic: `user.<id>.created` must have three words, whatever the id. */
const USER_ID = /^[A-Za-z0-9_-]{1,64}$/;

const draftSchema = z.object({
  id: z.string('Enter an Id.').regex(USER_ID, 'The Id must be 1 to 64 letters, digits, "-" or "_".'),
  name: z
    .string('Enter a name.')
    .trim()
    .min(1, 'Enter a name.')
    .max(100, 'The name must have at most 100 characters.')
    .refine((name) => !UNPRINTABLE.test(name), 'The name must not contain control characters.'),
  email: z
    .string('Enter an e-mail address.')
    .trim()
    .min(1, { error: 'Enter an e-mail address.', abort: true })
    .max(254, 'The e-mail address must have at most 254 characters.')
    .pipe(z.email('Enter a whole e-mail address, such as ada@example.com.')),
});

/**
 * Whether a text can be the id of a user. Other texts must not reach the database: not every database can search for
 * them.
 */
export function isUserId(id: string): boolean {
  return USER_ID.test(id);
}

/**
 * Reads the body of a `PUT`. Members that a client cannot set are ignored, so that the answer of a `GET` can be edited
 * and sent back.
 *
 * @throws Problem 400 with each invalid field
 */
export function parseDraft(id: string, body: unknown): UserDraft {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new Problem(400, 'The body must be a JSON object, sent as application/json.');
  }
  if ('id' in body && body.id !== id)
    throw invalid([{ pointer: '#/id', detail: 'The Id must be the one in the path.' }]);
  const result = draftSchema.safeParse({ ...body, id });
  if (result.success) return result.data;
  throw invalid(result.error.issues.map(({ path, message }) => ({ pointer: `#/${path.join('/')}`, detail: message })));
}

function invalid(errors: readonly FieldError[]): Problem {
  return new Problem(400, 'The user is not valid.', { errors });
}
