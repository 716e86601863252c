import type { Answer } from './answer.js';
import { httpUrl } from './url.js';

/** The part of `fetch` that the client uses. */
export type Fetch = (url: string, options: RequestInit) => Promise<Response>;

const MAX_TITLE_LENGTH = 200;

/**
 * Finds out with a plain HTTP request why a WebSocket could not be opened, because browsers hide the reason from pages.
 * A gateway answers 426 if it would accept the handshake, and otherwise refuses the request exactly as it refuses the
 * handshake.
 *
 * @returns undefined if `signal` aborted the request
 */
export async function ask(webSocketUrl: string, fetch: Fetch, signal: AbortSignal): Promise<Answer | undefined> {
  const url = httpUrl(webSocketUrl);
  const cache = 'no-store';
  try {
    // A WebSocket handshake does not follow redirects either.
    const response = await fetch(url, { cache, signal, credentials: 'include', redirect: 'manual' });
    // A browser hides the status of a redirect.
    const status = response.type === 'opaqueredirect' ? 302 : response.status;
    return { status, title: await titleOf(response).catch(() => undefined), isPlain: true };
  } catch {
    if (signal.aborted) return undefined;
  }
  // CORS restricts only pages. A `no-cors` request shows whether there is an answer, but not its content.
  if (globalThis.location === undefined) return 'unreachable';
  try {
    await fetch(url, { cache, signal, credentials: 'omit', mode: 'no-cors' });
    return 'unreadable';
  } catch {
    return signal.aborted ? undefined : 'unreachable';
  }
}

/** The title of a refusal (RFC 9457); undefined if it has none. */
export async function titleOf(response: Response): Promise<string | undefined> {
  if (!response.headers.get('content-type')?.includes('problem+json')) {
    await response.body?.cancel();
    return undefined;
  }
  const title: unknown = Reflect.get(Object(await response.json()), 'title');
  return typeof title === 'string' ? title.slice(0, MAX_TITLE_LENGTH) : undefined;
}
