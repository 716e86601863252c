/**
 * Returns the code of five characters that the PostgreSQL server sent; undefined if the error is not from the server.
 */
export function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('severity' in error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code) ? error.code : undefined;
}

/**
 * The codes with which a server ends a connection: shut down, crashed, not ready yet, idle for too long. Codes are used
 * because severities are translated.
 */
const LAST_WORDS = ['57P01', '57P02', '57P03', '57P04', '57P05', '25P03', '25P04'];

/**
 * Tells whether the server refused a command and its connection is still usable. After any other error, the state of
 * the connection is unknown.
 */
export function isRefusal(error: unknown): boolean {
  const state = sqlState(error);
  return state !== undefined && !LAST_WORDS.includes(state);
}
