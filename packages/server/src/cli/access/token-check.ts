import { compileRules } from '../../access/rules/compile-rules.js';
import type { Configuration, RouteConfiguration } from '../../config/configuration.js';
import type { Identity } from '../../core/ports/admission.js';
import type { Rights } from '../../core/ports/rights.js';
import type { Command } from '../command.js';
import { LOG_FLAGS, readConfiguration } from '../log-flags.js';
import { write } from '../terminal/output.js';
import { visible } from '../terminal/terminal-text.js';
import { readToken, TOKEN_FILE_FLAG } from '../token-input.js';
import { authOf, verifyToken } from './configured-tokens.js';

export const tokenCheck: Command = {
  name: 'token check',
  summary: 'Verify a token as a gateway would, and show what it may do',
  details: [
    'Reads the token from standard input or a file, never from the command line, where ps shows it. The exit code',
    'is 1 if the token is not valid for this configuration. Revocations are in the log, and are not looked at: see',
    'pregon help revocations.',
  ],
  arguments: [],
  flags: { 'token-file': TOKEN_FILE_FLAG, config: LOG_FLAGS.config },
  examples: ['pregon token check --token-file=token.txt', 'pregon token sign --sub=42 | pregon token check'],
  async run(invocation) {
    const configuration = await readConfiguration(invocation);
    const auth = authOf(configuration);
    const identity = await verifyToken(auth, await readToken(invocation));
    const rows = [
      ['issuer', identity.iss],
      ['subject', identity.sub],
      ['expires', expiryOf(identity)],
      ...routeRows(configuration, identity),
    ];
    const width = Math.max(...rows.map(([name = '']) => name.length)) + 2;
    await write(rows.map(([name = '', value = '']) => `${name.padEnd(width)}${visible(value)}\n`).join(''));
    return 0;
  },
};

function expiryOf({ expiresAtMs }: Identity): string {
  if (expiresAtMs === undefined) return 'never';
  const seconds = Math.max(0, Math.round((expiresAtMs - Date.now()) / 1_000));
  return `${new Date(expiresAtMs).toISOString()} (in ${seconds} s)`;
}

function routeRows({ routes, auth }: Configuration, identity: Identity): string[][] {
  const issuers = (auth?.issuers ?? []).map(({ issuer }) => issuer);
  return Object.entries(routes).map(([name, route]) => [`route ${name}`, mayDo(route, issuers, identity)]);
}

function mayDo({ allow, access }: RouteConfiguration, issuers: readonly string[], identity: Identity): string {
  if (!allow) return access === 'public' ? 'everything: the route is public' : 'nothing: the route is closed';
  const rights = compileRules(allow, { issuers }).rightsOf(identity);
  return 'status' in rights ? `nothing: ${rights.message}` : describeRights(rights);
}

function describeRights({ subscribe, send, broadcast, publish, isService }: Rights): string {
  const parts: string[] = [];
  if (subscribe.length > 0) parts.push(`subscribe ${subscribe.join(', ')}`);
  if (send === 'any') parts.push('send *');
  else if (send.size > 0) parts.push(`send ${[...send].join(', ')}`);
  if (broadcast) parts.push('broadcast');
  for (const { pattern, exchange, source } of publish) {
    const limits = [exchange && `exchange ${exchange}`, source && `source ${source}`].filter(Boolean).join(', ');
    parts.push(`publish ${pattern}${limits && ` (${limits})`}`);
  }
  if (isService) parts.push('service');
  return parts.join('; ');
}
