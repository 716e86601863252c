/**
 * Node.js flags of each measured server, Pregon and its peers: those that docs/operations/running.md recommends and
 * that workers have.
 */
export const SERVER_FLAGS: readonly string[] = ['--max-semi-space-size=2'];
