import { createEvent, messageOf, PregonError } from '@pregon/protocol';
import { v7 as uuid } from 'uuid';
import { type Order, orderOfLog } from '../../load/check/order.js';
import { HttpOutlet } from '../../load/http-outlet.js';
import { type Outlet, PublishError } from '../../load/publisher.js';
import { positionsOf } from '../../logs/secrets/position-codec.js';
import type { Invocation } from '../command.js';
import { chooseLog, findLogDriver, readConfiguration } from '../log-flags.js';
import { complain } from '../terminal/output.js';
import { UsageError } from '../usage-error.js';

/** The most events in one append. Larger groups gain hardly anything more from group commit. */
const GROUP = 500;

export interface BenchOutlet {
  readonly outlet: Outlet;
  /** The topics that the address names; undefined if it names none. */
  readonly topics?: readonly string[] | undefined;
  /** The order of events in the log; present if positions can be decoded. */
  readonly order?: Order;
  close(): Promise<void> | void;
}

/**
 * Opens the outlet that the flags describe; undefined if they describe none.
 *
 * @throws UsageError
 * @throws PregonError CONFIG_INVALID | LOG_UNAVAILABLE | LOG_CLOSED
 */
export async function openOutlet(invocation: Invocation, signal: AbortSignal): Promise<BenchOutlet | undefined> {
  const { flags } = invocation;
  const address = flags.text('publish');
  const exchange = flags.text('exchange');
  if (address !== undefined && exchange !== undefined) {
    throw new UsageError('--publish and --exchange are two ways to publish: give only one of them');
  }
  if (address !== undefined) return openHttp(address, invocation);
  if (exchange !== undefined) return openLogOutlet(exchange, invocation, signal);
  for (const name of ['log', 'token', 'publish-topics', 'rate', 'size'] as const) {
    if (flags.has(name)) throw new UsageError(`--${name} needs a publisher: --publish=URL, or --exchange=NAME`);
  }
  return undefined;
}

function openHttp(address: string, { flags, settings }: Invocation): BenchOutlet {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const [, path, topic] = /^(.*\/publish\/[^/]+)(?:\/([^/]*))?\/?$/.exec(url?.pathname ?? '') ?? [];
  const named = topic ? decode(topic) : '';
  if (!url || !/^https?:$/.test(url.protocol) || path === undefined || named === undefined) {
    throw new UsageError(`"${address}" is not of the form http://HOST:PORT/publish/EXCHANGE/TOPIC`);
  }
  if (named && flags.has('publish-topics')) {
    throw new UsageError('the address in --publish names a topic already: remove it, or remove --publish-topics');
  }
  const token = flags.text('token') ?? settings.token;
  if (token === undefined) {
    throw new UsageError(
      "--publish needs the token of the gateway's HTTP port: set PREGON_TOKEN, or give --token=TOKEN",
    );
  }
  const outlet = new HttpOutlet(new URL(path, url), token);
  return { outlet, topics: named ? [named] : undefined, close: () => outlet.close() };
}

/** Undefined if the text is not well-formed. */
function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

async function openLogOutlet(exchange: string, invocation: Invocation, signal: AbortSignal): Promise<BenchOutlet> {
  const configuration = await readConfiguration(invocation);
  const url = chooseLog(invocation, configuration);
  const driver = await findLogDriver(url, () => configuration);
  if ((await driver.admin?.exists?.(url)) === false) {
    const advice = "name the gateway's with --log, or publish with --publish";
    throw new PregonError('CONFIG_INVALID', `there is no log ${driver.admin?.show(url)}; ${advice}`);
  }
  // A log trims as it appends, so it needs the configured retention.
  const { retention } = configuration;
  const log = await driver.open(url, {
    ...(retention ? { retention } : {}),
    signal,
    onWarning: ({ message }) => complain(`pregon: ${message}`),
  });
  const outlet: Outlet = {
    group: GROUP,
    concurrency: 1,
    async publish(events) {
      const time = new Date().toISOString();
      try {
        await log.append(
          events.map((event) => createEvent({ ...event, exchange }, { id: uuid(), time })),
          { points: false },
        );
      } catch (cause) {
        const retryable = cause instanceof PregonError && cause.retryable;
        const why = messageOf(cause);
        throw new PublishError(`cannot publish to ${log.name}: ${why}`, { retryable, cause });
      }
    },
  };
  const positions = await positionsOf(log, configuration.secret).catch((error: unknown) => {
    // A user may have the right to append but not to read the secret. Order is then checked only in part.
    complain(`pregon: positions cannot be decoded: ${messageOf(error)}`);
  });
  return { outlet, ...(positions ? { order: orderOfLog(positions) } : {}), close: () => log.close() };
}
