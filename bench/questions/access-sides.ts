import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { Child } from '../processes/child.js';
import { type Fields, numberOf } from '../processes/messages.js';
import type { Context } from '../question.js';
import { audienceSizes, spreadOf } from '../spread.js';
import { newLogUrl, type Side } from './sides.js';

export type Algorithm = 'HS256' | 'ES256';

/** The rules of a gateway, and how its clients prove who they are; undefined for a gateway without tokens and rules. */
export type Access = { readonly rules: 'equal' | 'own'; readonly algorithm: Algorithm } | undefined;

/** A gateway process. */
export interface AccessGateway {
  readonly server: Child;
  readonly port: number;
  readonly log: string;
  /** Makes the clients of a load process bring tokens; empty without rules. */
  readonly tokens: Fields;
}

export interface SpreadOptions {
  readonly connections: number;
  readonly eventBytes: number;
  readonly spread: string;
  /** Whether the connections name the topics of the spread. With rules of their own, these select the same. */
  readonly asksTopics: boolean;
}

/** How long tokens are valid by default, in seconds: longer than any benchmark. */
const LIFETIME_S = 3_600;

const POLL_MS = 20;
const PATIENCE_MS = 20_000;

export async function startAccessGateway(context: Context, access: Access): Promise<AccessGateway> {
  const server = Child.start('servers/access-gateway', context.gatewayArgv);
  const log = newLogUrl(context);
  const { verifying, signing } = access ? keysOf(access.algorithm) : { verifying: '', signing: '' };
  const algorithm = access?.algorithm ?? 'HS256';
  const answer = await server.ask('listen', { log, rules: access?.rules ?? 'none', algorithm, key: verifying });
  const tokens: Fields = access
    ? { algorithm, key: signing, subject: '', expiresInS: LIFETIME_S, expirySpreadS: 0 }
    : {};
  return { server, port: numberOf(answer, 'port'), log, tokens };
}

/** A gateway with its clients and its publisher, for rounds of deliveries. */
export async function startAccessSide(gateway: AccessGateway, options: SpreadOptions): Promise<Side> {
  const { connections, eventBytes, spread, asksTopics } = options;
  const { server, port, log, tokens } = gateway;
  const producer = Child.start('servers/publisher');
  await producer.ask('open', { log, eventBytes, spread, connections, around: 'none' });
  const load = Child.start('load/client');
  const asked: Fields = asksTopics ? {} : { silent: 1 };
  await load.ask('connect', { port, dialect: 'plain', query: '', spread, count: connections, ...asked, ...tokens });
  await untilOpen(server, connections);
  const audiences = audienceSizes(spreadOf(spread), connections);
  return { name: 'pregon', server, producer, load, port, connections, audiences, next: 1 };
}

/** Resolves when this many connections are open. @throws Error if that takes too long */
export async function untilOpen(server: Child, connections: number): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const { count } = await server.ask('connections');
    if (count === connections) return;
    if (performance.now() > deadline) throw new Error(`${count} of ${connections} connections are open`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function keysOf(algorithm: Algorithm): { verifying: string; signing: string } {
  if (algorithm === 'HS256') {
    const secret = randomBytes(32).toString('base64url');
    return { verifying: secret, signing: secret };
  }
  const { publicKey, privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return { verifying: publicKey, signing: privateKey };
}
