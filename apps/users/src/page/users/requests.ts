import type { UserDraft } from './user.js';

/** Why the application refused a request. Functions return undefined instead if the request succeeded. */
export type Refusal = {
  readonly message: string;
  readonly status?: number;
  readonly fields: ReadonlyMap<string, string>;
};

export function saveUser(draft: UserDraft, { onlyNew }: { onlyNew: boolean }): Promise<Refusal | undefined> {
  return request(draft.id, {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json', ...(onlyNew ? { 'If-None-Match': '*' } : {}) },
    body: JSON.stringify({ name: draft.name, email: draft.email }),
  });
}

export function deleteUser(id: string): Promise<Refusal | undefined> {
  return request(id, { method: 'DELETE' });
}

async function request(id: string, options: RequestInit): Promise<Refusal | undefined> {
  try {
    const response = await fetch(`/users/${encodeURIComponent(id)}`, options);
    return response.ok ? undefined : await readRefusal(response);
  } catch {
    return { message: 'The application does not answer. Try again in a moment.', fields: new Map() };
  }
}

/** Reads a problem (RFC 9457). Any other error response is described by its status. */
async function readRefusal(response: Response): Promise<Refusal> {
  const fallback = {
    message: `The application answered ${response.status}.`,
    status: response.status,
    fields: new Map(),
  };
  if (!response.headers.get('Content-Type')?.startsWith('application/problem+json')) return fallback;
  const problem: unknown = await response.json();
  const detail = member(problem, 'detail');
  const errors = member(problem, 'errors');
  const fields = new Map<string, string>();
  for (const error of Array.isArray(errors) ? errors : []) {
    fields.set(String(member(error, 'pointer')).replace(/^#\//, ''), String(member(error, 'detail')));
  }
  return { ...fallback, message: typeof detail === 'string' ? detail : fallback.message, fields };
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
