import { toBlock, toUnblock } from '@pregon/protocol';
import type { Command } from '../command.js';
import type { Flags } from '../flags.js';
import { LOG_FLAGS } from '../log-flags.js';
import { write } from '../terminal/output.js';
import { visible } from '../terminal/terminal-text.js';
import { UsageError } from '../usage-error.js';
import { readTime } from './read-time.js';
import { record, SUBJECT_FLAGS } from './revocation-log.js';

export const block: Command = {
  name: 'block',
  summary: 'Refuse a subject until a time, with any token, on all gateways of the log',
  details: [
    'Gateways close its connections within a second, and refuse new ones. A later call replaces the time. To lift a',
    'block, use pregon unblock.',
  ],
  arguments: [],
  flags: {
    ...SUBJECT_FLAGS,
    until: {
      kind: 'text',
      value: 'TIME',
      description: 'a time such as 2030-01-31T12:00:00Z, a date, or 12h or 7d from now',
    },
    ...LOG_FLAGS,
  },
  examples: ['pregon block --iss=shop --sub=42 --until=2030-01-31', 'pregon block --iss=shop --sub=42 --until=7d'],
  async run(invocation) {
    const until = required(invocation.flags, 'until');
    const sub = required(invocation.flags, 'sub');
    const now = Date.now();
    const blocked = await record(invocation, (iss) => toBlock({ iss, sub, until: readTime('until', until, now) }, now));
    await write(`blocked ${visible(JSON.stringify(blocked))}\n`);
    return 0;
  },
};

export const unblock: Command = {
  name: 'unblock',
  summary: 'Lift the block of a subject, on all gateways of the log',
  arguments: [],
  flags: { ...SUBJECT_FLAGS, ...LOG_FLAGS },
  examples: ['pregon unblock --iss=shop --sub=42'],
  async run(invocation) {
    const sub = required(invocation.flags, 'sub');
    const unblocked = await record(invocation, (iss) => toUnblock({ iss, sub }, Date.now()));
    await write(`unblocked ${visible(JSON.stringify(unblocked))}\n`);
    return 0;
  },
};

function required(flags: Flags, name: string): string {
  const value = flags.text(name);
  if (value === undefined) throw new UsageError(`--${name} is missing`);
  return value;
}
