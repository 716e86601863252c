import type { Command } from './command.js';

/**
 * A command, by its name of one to three words. It is loaded on demand, so that a command line does not wait for the
 * modules of other commands.
 */
export interface CommandEntry {
  readonly name: string;
  load(): Promise<Command>;
}

/** Help lists the commands in this order. */
export const commands: readonly CommandEntry[] = [
  { name: 'run', load: async () => (await import('./run/run.js')).run },
  { name: 'publish', load: async () => (await import('./commands/publish.js')).publish },
  { name: 'tail', load: async () => (await import('./commands/tail.js')).tail },
  { name: 'connect', load: async () => (await import('./commands/connect.js')).connect },
  { name: 'bench', load: async () => (await import('./bench/bench.js')).bench },
  { name: 'token check', load: async () => (await import('./access/token-check.js')).tokenCheck },
  { name: 'token sign', load: async () => (await import('./access/token-sign.js')).tokenSign },
  { name: 'access explain', load: async () => (await import('./access/access-explain.js')).accessExplain },
  { name: 'revoke', load: async () => (await import('./access/revoke.js')).revoke },
  { name: 'block', load: async () => (await import('./access/block.js')).block },
  { name: 'unblock', load: async () => (await import('./access/block.js')).unblock },
  { name: 'revocations', load: async () => (await import('./access/revocations.js')).revocations },
  { name: 'log info', load: async () => (await import('./commands/log-info.js')).logInfo },
  { name: 'log trim', load: async () => (await import('./commands/log-trim.js')).logTrim },
  { name: 'bus check', load: async () => (await import('./commands/bus.js')).busCheck },
  { name: 'bus create', load: async () => (await import('./commands/bus.js')).busCreate },
  { name: 'bus drop', load: async () => (await import('./commands/bus.js')).busDrop },
  { name: 'outbox sql', load: async () => (await import('./commands/outbox-sql.js')).outboxSql },
  { name: 'outbox stuck list', load: async () => (await import('./commands/outbox-stuck.js')).outboxStuckList },
  { name: 'outbox stuck retry', load: async () => (await import('./commands/outbox-stuck.js')).outboxStuckRetry },
  { name: 'outbox stuck drop', load: async () => (await import('./commands/outbox-stuck.js')).outboxStuckDrop },
];

export function loadAll(entries: readonly CommandEntry[]): Promise<Command[]> {
  return Promise.all(entries.map((entry) => entry.load()));
}
