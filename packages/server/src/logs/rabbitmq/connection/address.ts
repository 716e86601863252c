import { PregonError } from '@pregon/protocol';

/** The address of a RabbitMQ stream, with the credentials. */
export interface RabbitAddress {
  readonly tls: boolean;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly vhost: string;
  /** The queue that holds the log. */
  readonly stream: string;
  readonly heartbeatSeconds: number;
  /** PEM files: the authorities to trust instead of the system's, and the client certificate with its key. */
  readonly certificates: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** The address without the password, for messages. */
  readonly name: string;
}

const DEFAULT_STREAM = 'pregon';

/**
 * A broker that is silent for two to three heartbeats is given up. RabbitMQ's manual says that lower values are unsafe
 * on a busy broker.
 */
const DEFAULT_HEARTBEAT_SECONDS = 5;

const PARAMETERS = new Set(['stream', 'heartbeat', 'cacertfile', 'certfile', 'keyfile']);

/**
 * Parses `amqp://USER:PASSWORD@HOST:PORT/VHOST?stream=NAME`; `amqps:` for TLS. Defaults for absent parts:
 * `guest:guest@localhost:5672` (5671 for TLS), the vhost `/`, the stream `pregon`. Other parameters: `heartbeat`
 * (seconds), `cacertfile`, `certfile`, `keyfile`.
 *
 * @throws PregonError CONFIG_INVALID, which never shows the password
 * @see https://www.rabbitmq.com/docs/uri-spec
 */
export function parseRabbitAddress(url: string, streamIfNotNamed = DEFAULT_STREAM): RabbitAddress {
  const parts = parse(url);
  const tls = parts.protocol === 'amqps:';
  const host = parts.hostname || 'localhost';
  const port = parts.port === '' ? (tls ? 5671 : 5672) : Number(parts.port);
  const given = parts.username !== '' || parts.password !== '';
  const user = given ? decode(parts.username) : 'guest';
  const vhost = parts.pathname.length > 1 ? decode(parts.pathname.slice(1)) : '/';
  const stream = parameter(parts, 'stream') ?? streamIfNotNamed;
  return {
    tls,
    host: host.replace(/^\[|\]$/g, ''),
    port,
    user,
    password: given ? decode(parts.password) : 'guest',
    vhost,
    stream,
    heartbeatSeconds: readHeartbeat(parts),
    certificates: {
      ...optional('ca', parameter(parts, 'cacertfile')),
      ...optional('cert', parameter(parts, 'certfile')),
      ...optional('key', parameter(parts, 'keyfile')),
    },
    name: `${parts.protocol}//${encodeURIComponent(user)}@${host}:${port}/${encodeURIComponent(vhost)}?stream=${encodeURIComponent(stream)}`,
  };
}

function parse(url: string): URL {
  const parts = URL.canParse(url) ? new URL(url) : undefined;
  if (parts?.protocol !== 'amqp:' && parts?.protocol !== 'amqps:') {
    throw invalid('it must be of the form amqp://USER:PASSWORD@HOST:PORT/VHOST');
  }
  for (const name of parts.searchParams.keys()) {
    if (!PARAMETERS.has(name)) throw invalid(`${JSON.stringify(name)} is none of ${[...PARAMETERS].join(', ')}`);
  }
  return parts;
}

function readHeartbeat(parts: URL): number {
  const text = parameter(parts, 'heartbeat');
  if (text === undefined) return DEFAULT_HEARTBEAT_SECONDS;
  if (!/^\d{1,5}$/.test(text) || Number(text) === 0)
    throw invalid('heartbeat must be a number of seconds of at least 1');
  return Number(text);
}

function parameter(parts: URL, name: string): string | undefined {
  return parts.searchParams.get(name) || undefined;
}

function optional<Name extends string>(name: Name, value: string | undefined): { [key in Name]?: string } {
  const result: { [key in Name]?: string } = {};
  if (value !== undefined) result[name] = value;
  return result;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // The original error would show the text, which may be the password.
    throw invalid('user, password and vhost must be percent-encoded');
  }
}

function invalid(why: string): PregonError {
  return new PregonError('CONFIG_INVALID', `the address of RabbitMQ is not valid: ${why}`);
}
