import { PregonError, type Revocation, recordRevocation } from '@pregon/protocol';
import { v7 as uuid } from 'uuid';
import type { Configuration } from '../../config/configuration.js';
import type { Log } from '../../core/ports/log.js';
import type { Invocation } from '../command.js';
import { assertLogExists } from '../commands/existing-log.js';
import type { FlagDescription } from '../flags.js';
import { chooseLog, findLogDriver, readConfiguration } from '../log-flags.js';
import { complain } from '../terminal/output.js';
import { UsageError } from '../usage-error.js';

/** The flags that name a subject. */
export const SUBJECT_FLAGS = {
  iss: {
    kind: 'text',
    value: 'ISSUER',
    description: 'the issuer of the tokens (default: the one of the configuration)',
  },
  sub: { kind: 'text', value: 'SUBJECT', description: 'the subject: sub of its tokens' },
} as const satisfies Record<string, FlagDescription>;

/**
 * Opens the log for revocations. It must exist: a revocation in a new log, whose name was mistyped, would have no effect.
 *
 * @throws PregonError CONFIG_INVALID | LOG_UNAVAILABLE
 */
export async function openRevocationLog(invocation: Invocation, configuration: Configuration): Promise<Log> {
  const { retention } = configuration;
  const url = chooseLog(invocation, configuration);
  const driver = await findLogDriver(url, () => configuration);
  await assertLogExists(url, driver);
  return driver.open(url, {
    ...(retention ? { retention } : {}),
    onWarning: ({ message }) => complain(`pregon: ${message}`),
  });
}

/**
 * Records a revocation in the log that the flags or the configuration name.
 *
 * @param read makes the revocation of the issuer
 * @throws UsageError if the flags do not name one
 */
export async function record(invocation: Invocation, read: (iss: string) => Revocation): Promise<Revocation> {
  const configuration = await readConfiguration(invocation);
  const revocation = readFlags(() => read(issuerOf(invocation, configuration)));
  const log = await openRevocationLog(invocation, configuration);
  try {
    const maxTokenLifetimeMs = configuration.auth?.maxTokenLifetimeMs;
    await recordRevocation(log, revocation, { id: uuid(), nowMs: Date.now(), maxTokenLifetimeMs });
  } finally {
    await log.close();
  }
  return revocation;
}

function issuerOf({ flags }: Invocation, { auth }: Configuration): string {
  const given = flags.text('iss');
  if (given !== undefined) return given;
  const [only, ...others] = (auth?.issuers ?? []).map(({ issuer }) => issuer);
  if (only !== undefined && others.length === 0) return only;
  throw new PregonError(
    'CONFIG_INVALID',
    only === undefined
      ? '--iss is missing, and the configuration has no issuer: name one with --iss=ISSUER'
      : `--iss is missing, and the configuration has several issuers: ${[only, ...others].join(', ')}`,
  );
}

function readFlags(read: () => Revocation): Revocation {
  try {
    return read();
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  }
}
