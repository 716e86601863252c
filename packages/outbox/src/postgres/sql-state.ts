/** One of PostgreSQL's codes of five characters, where the error is a word of the server's. */
export function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('severity' in error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code) ? error.code : undefined;
}

/** What a server ends a connection with: shut down, crashed, not up yet, idle for too long. It translates its severities. */
const LAST_WORDS = ['57P01', '57P02', '57P03', '57P04', '57P05', '25P03', '25P04'];

/** Whether the server has refused something, and its connection is as it was. After any other error, nobody knows what it is in. */
export function isRefusal(error: unknown): boolean {
  const state = sqlState(error);
  return state !== undefined && !LAST_WORDS.includes(state);
}
