import { type ErrorCode, PregonError, RESERVED_EXCHANGE } from '@pregon/protocol';
import type { Channel } from './connection/amqp.js';
import type { AmqpConnection } from './connection/amqp-connection.js';
import type { RabbitRetention } from './options.js';

export interface TopologyOptions {
  readonly stream: string;
  readonly retention: RabbitRetention;
  /** The exchanges to bind to the stream at the start; others are bound at the first append to them. */
  readonly exchanges: readonly string[];
}

const DEFAULT_RETENTION: RabbitRetention = { maxBytes: 1_073_741_824 };
const DEFAULT_SEGMENT_BYTES = 67_108_864;

/** The AMQP 0-9-1 codes with which a broker refuses a declaration. */
const ACCESS_REFUSED = 403;
const NOT_FOUND = 404;
const PRECONDITION_FAILED = 406;

/**
 * Ensures that the stream, the exchanges and their bindings exist. Missing ones are created; existing ones are used
 * unchanged.
 */
export class Topology {
  readonly #options: TopologyOptions;
  readonly #arguments: Record<string, unknown>;
  /** The prepared exchanges of a connection; `''` stands for the stream, because the default exchange leads to it. */
  readonly #prepared = new WeakMap<AmqpConnection, Set<string>>();

  /** @throws RangeError if a limit of the retention is out of range */
  constructor(options: TopologyOptions) {
    this.#options = options;
    this.#arguments = toArguments(options.retention);
  }

  isPrepared(link: AmqpConnection, exchange: string): boolean {
    return this.#prepared.get(link)?.has(exchange) ?? false;
  }

  /** Must be called when the stream, an exchange or a binding may be gone. */
  forget(link: AmqpConnection): void {
    this.#prepared.delete(link);
  }

  /** @throws PregonError CONFIG_INVALID, or the broker's error */
  async prepareAll(link: AmqpConnection): Promise<void> {
    await this.prepare(link, '');
    for (const exchange of this.#options.exchanges) {
      // Its events go straight to the stream.
      if (exchange !== RESERVED_EXCHANGE) await this.#prepareConfigured(link, exchange);
    }
  }

  /** @throws PregonError CONFIG_INVALID if the stream cannot be used | EXCHANGE_UNUSABLE, or the broker's error */
  async prepare(link: AmqpConnection, exchange: string): Promise<void> {
    if (this.isPrepared(link, exchange)) return;
    if (exchange === '') {
      await this.#declareStream(link);
    } else {
      await this.prepare(link, '');
      await declareExchange(link, exchange);
      await this.#bind(link, exchange);
    }
    const prepared = this.#prepared.get(link) ?? new Set();
    this.#prepared.set(link, prepared.add(exchange));
  }

  async #prepareConfigured(link: AmqpConnection, exchange: string): Promise<void> {
    try {
      await this.prepare(link, exchange);
    } catch (error) {
      if (!(error instanceof PregonError) || error.code !== 'EXCHANGE_UNUSABLE') throw error;
      throw new PregonError('CONFIG_INVALID', error.message, { cause: error });
    }
  }

  async #declareStream(link: AmqpConnection): Promise<void> {
    await ensureStream(link, this.#options.stream, this.#arguments);
  }

  async #bind(link: AmqpConnection, exchange: string): Promise<void> {
    try {
      await link.onChannel((channel) => channel.bindQueue(this.#options.stream, exchange, '#'));
    } catch (error) {
      // A user who may not bind uses the existing bindings. An event that is routed to nothing does not count as safe.
      if (codeOf(error) !== ACCESS_REFUSED) throw error;
    }
  }
}

/**
 * Creates a stream if it is missing, and uses an existing one unchanged.
 * @throws PregonError CONFIG_INVALID, or the broker's error
 */
export async function ensureStream(
  link: AmqpConnection,
  name: string,
  args: Readonly<Record<string, unknown>>,
): Promise<void> {
  const difference = await declare(link, 'CONFIG_INVALID', `the queue ${JSON.stringify(name)}`, {
    make: (channel) => channel.assertQueue(name, { durable: true, arguments: { ...args } }),
    look: (channel) => channel.checkQueue(name),
  });
  if (difference) await assertStream(link, name);
}

interface Declaration {
  readonly make: (channel: Channel) => Promise<unknown>;
  readonly look: (channel: Channel) => Promise<unknown>;
}

/**
 * @returns a text if an object of that name exists with other properties, or if this user may not create it; otherwise
 * undefined
 */
async function declare(
  link: AmqpConnection,
  code: ErrorCode,
  what: string,
  { make, look }: Declaration,
): Promise<string | undefined> {
  try {
    await link.onChannel(make);
    return undefined;
  } catch (error) {
    if (codeOf(error) === PRECONDITION_FAILED) return String(error);
    if (codeOf(error) !== ACCESS_REFUSED) throw error;
  }
  try {
    await link.onChannel(look);
    return 'not ours';
  } catch (error) {
    if (codeOf(error) !== NOT_FOUND) throw error;
    throw unusable(
      code,
      `${what} does not exist, and this user may not create it: create it, or grant the user "configure"`,
      error,
    );
  }
}

async function declareExchange(link: AmqpConnection, exchange: string): Promise<void> {
  const what = `the exchange ${JSON.stringify(exchange)}`;
  const difference = await declare(link, 'EXCHANGE_UNUSABLE', what, {
    make: (channel) => channel.assertExchange(exchange, 'topic', { durable: true }),
    look: (channel) => channel.checkExchange(exchange),
  });
  const [, type] = /inequivalent arg 'type' .* but current is '([^']+)'/.exec(difference ?? '') ?? [];
  if (type !== undefined && type !== 'fanout') {
    throw unusable('EXCHANGE_UNUSABLE', `${what} is a ${type} exchange; it must be topic or fanout`);
  }
}

/** Only streams can be consumed from an offset, so this shows what a queue is, whatever its arguments are. */
async function assertStream(link: AmqpConnection, queue: string): Promise<void> {
  try {
    await link.onChannel(async (channel) => {
      await channel.prefetch(1);
      await channel.consume(queue, () => {}, { arguments: { 'x-stream-offset': 'next' } });
    });
  } catch (error) {
    if (codeOf(error) !== PRECONDITION_FAILED) throw error;
    throw unusable(
      'CONFIG_INVALID',
      `the queue ${JSON.stringify(queue)} is not a stream: delete it or name another`,
      error,
    );
  }
}

function unusable(code: ErrorCode, what: string, cause?: unknown): PregonError {
  return new PregonError(code, what, { cause });
}

/** Tells whether the broker denied this user the operation. */
export function isRefused(error: unknown): boolean {
  return codeOf(error) === ACCESS_REFUSED;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function toArguments(retention: RabbitRetention): Record<string, unknown> {
  const given = Object.values(retention).some((limit) => limit !== undefined);
  const { maxAgeMs, maxBytes, segmentBytes = DEFAULT_SEGMENT_BYTES } = given ? retention : DEFAULT_RETENTION;
  for (const [name, limit] of Object.entries({ maxAgeMs, maxBytes, segmentBytes })) {
    if (limit !== undefined && (!Number.isSafeInteger(limit) || limit < 1)) {
      throw new RangeError(`retention.${name} must be an integer of at least 1, not ${limit}`);
    }
  }
  return {
    'x-queue-type': 'stream',
    'x-stream-max-segment-size-bytes': segmentBytes,
    ...(maxBytes === undefined ? {} : { 'x-max-length-bytes': maxBytes }),
    ...(maxAgeMs === undefined ? {} : { 'x-max-age': `${Math.ceil(maxAgeMs / 1_000)}s` }),
  };
}
