/** Misuse of the command line: shown with the usage of the command; the exit code is 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
