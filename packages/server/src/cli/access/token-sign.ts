import { PregonError } from '@pregon/protocol';
import type { IssuerOptions, TokenOptions } from '../../access/tokens/issuer-options.js';
import { readSecret } from '../../access/tokens/keys/key-file.js';
import { signHs256 } from '../../access/tokens/sign-token.js';
import { parseDuration } from '../../config/quantities.js';
import type { Command, Invocation } from '../command.js';
import { LOG_FLAGS, readConfiguration } from '../log-flags.js';
import { write } from '../terminal/output.js';
import { UsageError } from '../usage-error.js';
import { authOf, verifyToken } from './configured-tokens.js';

const DEFAULT_EXPIRY = '1h';

/** Claims that the command sets itself. */
const OWN_CLAIMS = ['iss', 'sub', 'aud', 'iat', 'exp'];

export const tokenSign: Command = {
  name: 'token sign',
  summary: 'Sign a token for development, with the secret of the configuration',
  details: [
    'The issuer must have a secretFile and use HS256; the first of several files signs. The token is printed',
    'only if a gateway with this configuration accepts it.',
  ],
  arguments: [],
  flags: {
    sub: { kind: 'text', value: 'SUBJECT', description: 'the subject of the token: the id of a user' },
    expires: {
      kind: 'text',
      value: 'TIME',
      description: `how long the token is valid: 30s, 15m, 12h (default: ${DEFAULT_EXPIRY})`,
    },
    claim: {
      kind: 'text',
      value: 'NAME=VALUE',
      repeats: true,
      description: 'a further claim; a value that is JSON counts as JSON, any other is a text',
    },
    issuer: { kind: 'text', value: 'NAME', description: 'the issuer (default: the only one with a secretFile)' },
    config: LOG_FLAGS.config,
  },
  examples: [
    'pregon token sign --sub=42 --expires=15m',
    `pregon token sign --sub=42 --claim role=admin --claim org='{"id":7}'`,
  ],
  async run(invocation) {
    const { flags } = invocation;
    const sub = flags.text('sub');
    if (sub === undefined) throw new UsageError('--sub is missing: --sub=SUBJECT');
    const expires = flags.text('expires') ?? DEFAULT_EXPIRY;
    const lifetimeMs = parseDuration(expires);
    if (lifetimeMs === undefined) throw new UsageError(`--expires must be a time such as 30s or 1h, not "${expires}"`);
    const claims = readClaims(flags.list('claim'));
    const auth = authOf(await readConfiguration(invocation));
    const issuer = chooseIssuer(auth, invocation);
    const iat = Math.floor(Date.now() / 1_000);
    const { secretFile, audience } = issuer;
    const aud = typeof audience === 'object' ? audience[0] : audience;
    const registered = { iss: issuer.issuer, sub, ...(aud === undefined ? {} : { aud }), iat };
    const exp = iat + Math.ceil(lifetimeMs / 1_000);
    const secret = await readSecret((typeof secretFile === 'object' ? secretFile[0] : secretFile) ?? '');
    const token = signHs256({ ...claims, ...registered, exp }, secret);
    await verifyToken({ ...auth, issuers: [issuer] }, token);
    await write(`${token}\n`);
    return 0;
  },
};

/** @throws UsageError */
function readClaims(texts: readonly string[]): Record<string, unknown> {
  const entries = texts.map((text) => {
    const [, name = '', value = ''] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    if (name === '') throw new UsageError(`--claim must have the form NAME=VALUE, not "${text}"`);
    if (OWN_CLAIMS.includes(name)) {
      throw new UsageError(`--claim cannot set ${name}: the configuration and the other flags decide about it`);
    }
    return [name, claimValue(value)] as const;
  });
  return Object.fromEntries(entries);
}

function claimValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** @throws UsageError | PregonError CONFIG_INVALID */
function chooseIssuer({ issuers }: TokenOptions, { flags }: Invocation): IssuerOptions {
  const usable = issuers.filter(isUsable);
  const names = usable.map(({ issuer }) => issuer).join(', ');
  const asked = flags.text('issuer');
  if (asked !== undefined) {
    const found = issuers.find(({ issuer }) => issuer === asked);
    if (found && isUsable(found)) return found;
    const why = found ? 'has no secretFile for HS256, so only the issuer itself can sign' : 'is not configured';
    throw new PregonError(
      'CONFIG_INVALID',
      `the issuer "${asked}" ${why}; this command can sign for: ${names || 'none'}`,
    );
  }
  const [first, ...others] = usable;
  if (!first) {
    const message = 'no issuer of the configuration has a secretFile for HS256: only the issuers themselves can sign';
    throw new PregonError('CONFIG_INVALID', message);
  }
  if (others.length > 0)
    throw new UsageError(`name the issuer with --issuer=NAME; this command can sign for: ${names}`);
  return first;
}

function isUsable({ secretFile, algorithms }: IssuerOptions): boolean {
  return secretFile !== undefined && (algorithms === undefined || algorithms.includes('HS256'));
}
