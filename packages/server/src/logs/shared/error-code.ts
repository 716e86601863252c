/** Returns the code of an error of the system (`ENOENT`) or of SQLite (`SQLITE_BUSY`); undefined if it has none. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
