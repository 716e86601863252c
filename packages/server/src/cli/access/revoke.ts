import { toRevocation } from '@pregon/protocol';
import type { Command, Invocation } from '../command.js';
import { LOG_FLAGS } from '../log-flags.js';
import { write } from '../terminal/output.js';
import { visible } from '../terminal/terminal-text.js';
import { UsageError } from '../usage-error.js';
import { readTime } from './read-time.js';
import { record, SUBJECT_FLAGS } from './revocation-log.js';

export const revoke: Command = {
  name: 'revoke',
  summary: 'End tokens before they expire, on all gateways of the log',
  details: [
    'Give one of --sub (all tokens of a subject until now), --jti (one token) and --issued-before (the older',
    'tokens of the issuer). Gateways close the connections of these tokens within a second, and refuse new ones.',
    'A subject may come back with a new token; see pregon help block.',
  ],
  arguments: [],
  flags: {
    ...SUBJECT_FLAGS,
    jti: { kind: 'text', value: 'ID', description: 'the id of one token' },
    'issued-before': {
      kind: 'text',
      value: 'TIME',
      description: 'a time such as 2030-01-31T12:00:00Z, or now',
    },
    ...LOG_FLAGS,
  },
  examples: ['pregon revoke --iss=shop --sub=42', 'pregon revoke --iss=shop --issued-before=now'],
  async run(invocation) {
    const revocation = await record(invocation, (iss) => readTarget(invocation, iss));
    await write(`revoked ${visible(JSON.stringify(revocation))}\n`);
    return 0;
  },
};

function readTarget({ flags }: Invocation, iss: string) {
  const [sub, jti, before] = [flags.text('sub'), flags.text('jti'), flags.text('issued-before')];
  const given = [sub, jti, before].filter((value) => value !== undefined);
  if (given.length !== 1) throw new UsageError('give exactly one of --sub, --jti and --issued-before');
  const now = Date.now();
  if (sub !== undefined) return toRevocation({ iss, sub }, now);
  if (jti !== undefined) return toRevocation({ iss, jti }, now);
  return toRevocation({ iss, issuedBefore: readTime('issued-before', before ?? '', now) }, now);
}
