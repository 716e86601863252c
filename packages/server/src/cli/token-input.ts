import { readFileSync } from 'node:fs';
import { messageOf, PregonError } from '@pregon/protocol';
import type { Invocation } from './command.js';
import type { FlagDescription } from './flags.js';
import { UsageError } from './usage-error.js';

/** More than any token that a gateway accepts. */
const MOST_INPUT_BYTES = 65_536;

/** For commands that connect as a client: the token is in a file, because every local user can see arguments. */
export const CLIENT_TOKEN_FLAG = {
  kind: 'text',
  value: 'FILE',
  description: 'a file with a token to send as "Authorization: Bearer" (default: PREGON_TOKEN)',
} as const satisfies FlagDescription;

/** For commands that examine a token. */
export const TOKEN_FILE_FLAG = {
  kind: 'text',
  value: 'FILE',
  description: 'a file with the token (default: standard input)',
} as const satisfies FlagDescription;

/** @throws PregonError CONFIG_INVALID, without anything of the content of the file */
export function readTokenFile(flag: string, file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new PregonError('CONFIG_INVALID', `--${flag}: ${messageOf(cause)}`, { cause });
  }
  const token = text.trim();
  if (/^\S+$/.test(token)) return token;
  throw new PregonError('CONFIG_INVALID', `--${flag}: ${file} must contain one token, without spaces in it`);
}

/**
 * The header by which a client shows its token; empty without a token.
 *
 * @param fromEnvironment the token if no file is named
 * @throws PregonError CONFIG_INVALID if the token cannot be read, or cannot be part of a header
 */
export function bearerHeaders({ flags }: Invocation, fromEnvironment: string | undefined): Record<string, string> {
  const file = flags.text('token-file');
  const token = file === undefined ? fromEnvironment : readTokenFile('token-file', file);
  if (token === undefined) return {};
  // RFC 6750 section 2.1.
  if (/^[\w.~+/-]+=*$/.test(token)) return { Authorization: `Bearer ${token}` };
  const from = file === undefined ? 'PREGON_TOKEN' : `--token-file: ${file}`;
  throw new PregonError('CONFIG_INVALID', `${from} has characters that no token has`);
}

/**
 * Reads the token that a command examines, from the file of `--token-file` or from standard input.
 *
 * @throws UsageError if standard input is a terminal, or has no token
 * @throws PregonError CONFIG_INVALID if the file cannot be read
 */
export async function readToken({ flags }: Invocation): Promise<string> {
  const file = flags.text('token-file');
  if (file !== undefined) return readTokenFile('token-file', file);
  const advice = 'pipe the token to standard input, or name a file with --token-file=FILE';
  if (process.stdin.isTTY) throw new UsageError(`there is no token: ${advice}`);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin) {
    const part = Buffer.from(chunk);
    bytes += part.length;
    if (bytes > MOST_INPUT_BYTES) throw new UsageError('standard input is longer than any token');
    chunks.push(part);
  }
  const token = Buffer.concat(chunks).toString('utf8').trim();
  if (/^\S+$/.test(token)) return token;
  throw new UsageError(`standard input must contain one token, without spaces in it: ${advice}`);
}
