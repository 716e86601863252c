import { isRevocationKey } from '@pregon/protocol';
import type { Command } from '../command.js';
import { LOG_FLAGS, readConfiguration } from '../log-flags.js';
import { write } from '../terminal/output.js';
import { visible } from '../terminal/terminal-text.js';
import { openRevocationLog } from './revocation-log.js';

export const revocations: Command = {
  name: 'revocations',
  summary: 'List the revocations and blocks that the log keeps',
  details: ['Prints a line for each: when it ends, and what it is, as JSON.'],
  arguments: [],
  flags: LOG_FLAGS,
  examples: ['pregon revocations'],
  async run(invocation) {
    const log = await openRevocationLog(invocation, await readConfiguration(invocation));
    try {
      const kept = [...(await log.kept.all())].filter(([key]) => isRevocationKey(key));
      await write(kept.map(([, { value, expiresAt }]) => `${endOf(expiresAt)}  ${visible(value)}\n`).join(''));
    } finally {
      await log.close();
    }
    return 0;
  },
};

function endOf(expiresAt: number | undefined): string {
  return expiresAt === undefined ? 'never'.padEnd(24) : new Date(expiresAt).toISOString();
}
