import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { isPattern } from '@pregon/protocol';
import { z } from 'zod';
import { isAddressOrSubnet, NO_ADDRESS } from '../access/addresses/address-list.js';
import { isOrigin, LEAST_LIMITS, MOST_LIMITS, NO_ORIGIN } from '../gateway/validate.js';
import { authSchema, isEntranceAccess, NO_NAMESPACES, ruleSchema } from './access/access-schema.js';
import { isHttpUrl } from './http-url.js';
import { parseBytes, parseDuration } from './quantities.js';
import { ROUTE_NAME } from './route-name.js';
import { integer, NO_DURATION, quantity, text } from './scalars.js';
import { NO_WORKERS, parseWorkers } from './workers.js';

const flag = z.preprocess((value) => (value === 'true' ? true : value === 'false' ? false : value), z.boolean());

/** `true` means compression with default options, `false` means no compression. */
const compression = z.preprocess(
  (value) => (value === true || value === 'true' ? {} : value === false || value === 'false' ? undefined : value),
  z
    .strictObject(
      { thresholdBytes: integer(0).optional() },
      { error: ({ code }) => (code === 'invalid_type' ? 'must be true, false or a map' : undefined) },
    )
    .optional(),
);

const pattern = z
  .string()
  .refine(
    isPattern,
    'is not a topic pattern; write words separated by dots, * for one word, # for any number of words',
  );

const path = z
  .string()
  .refine((value) => value.startsWith('/'), { error: 'must start with "/"', abort: true })
  .refine((value) => !/[\s?#]/.test(value), 'must not contain spaces, "?" or "#"');

const origin = z.string().refine(isOrigin, NO_ORIGIN);

const address = z.string().refine(isAddressOrSubnet, NO_ADDRESS);

const PROXY_HEADERS = ['x-forwarded-for', 'forwarded'] as const;

const limit = (name: keyof typeof LEAST_LIMITS) => integer(LEAST_LIMITS[name], MOST_LIMITS[name]).optional();

const snapshotUrl = z.string().refine(isHttpUrl, 'must be an http:// or https:// URL');

/** A URL alone means a snapshot with the rows of all topics. */
const snapshot = z.preprocess(
  (value) => (typeof value === 'string' ? { url: value } : value),
  z
    .strictObject(
      { url: snapshotUrl, per: z.enum(['rights', 'identity'], { error: 'must be rights or identity' }).optional() },
      { error: ({ code }) => (code === 'invalid_type' ? 'must be a URL, or a map with url and per' : undefined) },
    )
    .transform(({ url, per }) => (per === undefined ? url : { url, per })),
);

const NO_SNAPSHOT_SECRET =
  'a secret does not belong in this file: write it to a file of its own, and name that in snapshotSecretFile';

const duration = quantity(parseDuration, NO_DURATION);
const workers = quantity(parseWorkers, NO_WORKERS);
const bytes = quantity(parseBytes, 'is not a size; write 512MB, 2GiB or a number of bytes');

/** @param directory the folder that file names in the configuration are relative to */
export function configurationSchema(directory: string) {
  const file = z
    .string()
    .transform((name) => resolve(directory, name))
    .refine((name) => existsSync(name) && statSync(name).isFile(), 'there is no such file');
  const route = z.strictObject({
    path,
    topics: z.array(pattern).min(1).optional(),
    exchanges: z.array(text).min(1).optional(),
    snapshot: snapshot.optional(),
    handlers: z.array(file).optional(),
    broadcast: flag.optional(),
    compression,
    allow: z.array(ruleSchema).optional(),
    access: z.literal('public', { error: 'must be public; to close the route, leave out access and allow' }).optional(),
  });
  return z.strictObject({
    log: text.optional(),
    exchanges: z.array(text).optional(),
    secret: text.optional(),
    snapshotSecretFile: file.optional(),
    snapshotSecret: z.never({ error: NO_SNAPSHOT_SECRET }).optional(),
    workers: workers.optional(),
    access: z.literal('public', { error: 'must be public; leave it out if not every client may connect' }).optional(),
    auth: authSchema(file).optional(),
    socketIo: z.union([z.literal(false), z.record(z.string(), z.unknown()).superRefine(checkNamespaces)]).optional(),
    websocket: z
      .strictObject({
        routes: z.record(z.string().regex(ROUTE_NAME), route).optional(),
        allowedOrigins: z.array(origin).optional(),
        allowNullOrigin: flag.optional(),
        trustedProxies: z.array(address).optional(),
        exemptAddresses: z.array(address).optional(),
        proxyHeader: z.enum(PROXY_HEADERS, { error: `must be ${PROXY_HEADERS.join(' or ')}` }).optional(),
        heartbeatMs: limit('heartbeatMs'),
        stallTimeoutMs: limit('stallTimeoutMs'),
        handshakeTimeoutMs: limit('handshakeTimeoutMs'),
        keepAliveTimeoutMs: limit('keepAliveTimeoutMs'),
        maxConnectionsPerAddress: limit('maxConnectionsPerAddress'),
        maxHandshakesPerSecond: limit('maxHandshakesPerSecond'),
        handshakeBurst: limit('handshakeBurst'),
        maxFailedAuthenticationsPerMinute: limit('maxFailedAuthenticationsPerMinute'),
        maxPendingPerAddress: limit('maxPendingPerAddress'),
        maxPending: limit('maxPending'),
        maxConnectionsPerIdentity: limit('maxConnectionsPerIdentity'),
        maxFrameBytes: limit('maxFrameBytes'),
        maxFramesPerSecond: limit('maxFramesPerSecond'),
        frameBurst: limit('frameBurst'),
        maxPolledPackets: limit('maxPolledPackets'),
        maxIncomingBytesPerSecond: limit('maxIncomingBytesPerSecond'),
        incomingBytesBurst: limit('incomingBytesBurst'),
        maxSubscribesPerSecond: limit('maxSubscribesPerSecond'),
        subscribeBurst: limit('subscribeBurst'),
        maxReplaysPerMinute: limit('maxReplaysPerMinute'),
        replayBurst: limit('replayBurst'),
        maxSnapshotsPerMinute: limit('maxSnapshotsPerMinute'),
        snapshotBurst: limit('snapshotBurst'),
        maxFrameDepth: limit('maxFrameDepth'),
        maxFrameValues: limit('maxFrameValues'),
        maxBufferedBytes: limit('maxBufferedBytes'),
        maxSubscriptions: limit('maxSubscriptions'),
        maxTopics: limit('maxTopics'),
        maxTopicsBytes: limit('maxTopicsBytes'),
        maxSnapshotBytes: limit('maxSnapshotBytes'),
        historyBytes: limit('historyBytes'),
        flushIntervalMs: limit('flushIntervalMs'),
        tls: z.strictObject({ cert: file, key: file }).optional(),
      })
      .optional(),
    subscribers: z.array(file).optional(),
    logDrivers: z.array(file).optional(),
    http: z.strictObject({ port: integer(0, 65_535), host: text.optional(), token: text.optional() }).optional(),
    retention: z
      .strictObject({ maxCount: integer(1).optional(), maxAge: duration.optional(), maxBytes: bytes.optional() })
      .optional(),
  });
}

/** Options of Socket.IO are checked by its server, but `namespaces` is an option of the gateway. */
function checkNamespaces({ namespaces }: Readonly<Record<string, unknown>>, context: z.RefinementCtx): void {
  if (namespaces === undefined) return;
  if (typeof namespaces !== 'object' || namespaces === null || Array.isArray(namespaces)) {
    return context.addIssue({ code: 'custom', path: ['namespaces'], message: NO_NAMESPACES });
  }
  for (const [name, access] of Object.entries(namespaces)) {
    const path = ['namespaces', name];
    if (!name.startsWith('/')) context.addIssue({ code: 'custom', path, message: 'must start with "/"' });
    else if (!isEntranceAccess(access)) context.addIssue({ code: 'custom', path, message: NO_NAMESPACES });
  }
}
