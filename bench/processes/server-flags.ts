/** For Node.js, of each server that is measured, Pregon's and its peers': as docs/operations/running.md has it, and as workers are started. */
export const SERVER_FLAGS: readonly string[] = ['--max-semi-space-size=2'];
