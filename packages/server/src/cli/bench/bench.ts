import { SUBPROTOCOL } from '@pregon/protocol';
import { parseDuration } from '../../config/quantities.js';
import { LoadRun } from '../../load/load-run.js';
import type { LoadOptions } from '../../load/options.js';
import type { Command, Invocation } from '../command.js';
import { LOG_FLAGS } from '../log-flags.js';
import { stopRequested } from '../run/signals.js';
import { whenOutputGone, write } from '../terminal/output.js';
import { bearerHeaders, CLIENT_TOKEN_FLAG } from '../token-input.js';
import { UsageError } from '../usage-error.js';
import { hintFor } from './bench-hint.js';
import { type BenchOutlet, openOutlet } from './bench-outlet.js';
import { BenchProgress } from './bench-progress.js';
import { describeResult } from './bench-report.js';

const EXIT_FAULTS = 1;

const PROTOCOLS = ['plain', SUBPROTOCOL] as const;

const DEFAULTS = {
  connections: 100,
  connectRate: 200,
  handshakeTimeout: '15s',
  duration: '30s',
  rate: 50,
  size: 200,
} as const;

export const bench: Command = {
  name: 'bench',
  summary: 'Load a running gateway, and check that each connection gets each event once, in order',
  details: [
    'Opens connections to a route, publishes numbered events (with --publish, or with --exchange straight to the',
    'log), and reports latency, loss, order and duplicates. Without either it measures the events of other',
    'publishers: latency then counts from the "time" of each event, so the clocks must agree. Ctrl-C ends the run',
    'and prints the summary.',
    '',
    'In topics, {1..1000} stands for each of these numbers, and {n} for the number of the connection. Quote them.',
    'The exit code is 0 if all is well; 1 if an event was lost, out of order or delivered twice, or a connection',
    'could not be opened or was closed at the end; 2 for misuse.',
  ],
  arguments: [{ name: 'URL', required: true, description: 'the route: ws://localhost:1234/events, or wss://' }],
  flags: {
    connections: {
      kind: 'integer',
      value: 'N',
      description: `number of connections (default: ${DEFAULTS.connections})`,
    },
    'connect-rate': {
      kind: 'integer',
      value: 'N',
      description: `how many to open per second (default: ${DEFAULTS.connectRate})`,
    },
    'handshake-timeout': {
      kind: 'text',
      value: 'TIME',
      description: `how long a connection may take to open: 500ms, 1m (default: ${DEFAULTS.handshakeTimeout})`,
    },
    protocol: {
      kind: 'text',
      choices: PROTOCOLS,
      description: 'the protocol of the connections (default: plain WebSocket)',
    },
    compress: { kind: 'switch', description: 'offer compression' },
    topics: {
      kind: 'text',
      value: 'PATTERNS',
      repeats: true,
      description: 'topic patterns to subscribe to, separated by commas (default: all that the route carries)',
    },
    'topics-per-connection': {
      kind: 'integer',
      value: 'N',
      description: 'how many of the patterns each connection takes, in turn (default: all)',
    },
    duration: {
      kind: 'text',
      value: 'TIME',
      description: `how long to measure after all connections are open: 30s, 5m (default: ${DEFAULTS.duration})`,
    },
    publish: {
      kind: 'text',
      value: 'URL',
      description:
        "publish through a gateway's HTTP port: http://HOST:PORT/publish/EXCHANGE/TOPIC; without /TOPIC, to the topics in --publish-topics",
    },
    token: {
      kind: 'text',
      value: 'TOKEN',
      description: 'the token of that port; prefer PREGON_TOKEN, which ps does not show',
      secret: () => 'use PREGON_TOKEN',
    },
    exchange: {
      kind: 'text',
      value: 'NAME',
      description: 'publish to this exchange, straight to the log of the gateway',
    },
    ...LOG_FLAGS,
    'publish-topics': {
      kind: 'text',
      value: 'TOPICS',
      repeats: true,
      description:
        'topics to publish to, in turn (default: one for each pattern in --topics, such as user.bench for user.#)',
    },
    rate: {
      kind: 'integer',
      value: 'N',
      description: `events to publish per second (default: ${DEFAULTS.rate})`,
    },
    size: {
      kind: 'integer',
      value: 'BYTES',
      description: `size of the data of each event (default: ${DEFAULTS.size})`,
    },
    'reconnect-storm': {
      kind: 'switch',
      description: 'drop all connections halfway, resume all at once, and check that no event is missing',
    },
    origin: { kind: 'text', value: 'ORIGIN', description: 'connect as a page of this origin would' },
    'token-file': {
      ...CLIENT_TOKEN_FLAG,
      description:
        'a file with a token that each connection sends as "Authorization: Bearer" (default: PREGON_TOKEN, except with --publish)',
    },
    header: {
      kind: 'text',
      value: 'HEADER',
      repeats: true,
      description: 'a header to send with each connection: "X-Tenant: 7"',
      secret: (header) => (/^(authorization|cookie):/i.test(header) ? 'use --token-file or PREGON_TOKEN' : undefined),
    },
    json: { kind: 'switch', description: 'print the summary as JSON' },
  },
  examples: [
    'pregon bench ws://localhost:1234/events --exchange=my_events --connections=1000 --rate=100',
    'PREGON_TOKEN=… pregon bench wss://shop.example/events --publish=https://gateway/publish/my_events/a.b',
    "pregon bench ws://localhost:1234/events --exchange=shop --topics='user.{1..99}.#' --topics-per-connection=9",
  ],
  async run(invocation) {
    const options = readOptions(invocation);
    const stop = stopSignal();
    const outlet = await openOutlet(invocation, stop);
    try {
      const run = prepare(options, outlet, stop);
      const progress = new BenchProgress(run, options);
      const result = await run.run().finally(() => progress.end());
      const hint = hintFor(result, invocation.flags);
      const all = hint === undefined ? result : { ...result, hint };
      await write(invocation.flags.has('json') ? `${JSON.stringify(all)}\n` : describeResult(result, hint));
      return result.ok ? 0 : EXIT_FAULTS;
    } finally {
      await outlet?.close();
    }
  },
};

/** A number out of range is misuse of the command line. */
function prepare(options: LoadOptions, outlet: BenchOutlet | undefined, stop: AbortSignal): LoadRun {
  try {
    const publishTopics = options.publishTopics ?? outlet?.topics;
    return new LoadRun({ ...options, publishTopics }, outlet?.outlet, stop, outlet?.order);
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  }
}

function readOptions(invocation: Invocation): LoadOptions {
  const { argument, flags } = invocation;
  return {
    target: {
      url: readUrl(argument('URL') ?? ''),
      subprotocol: flags.text('protocol') === SUBPROTOCOL ? SUBPROTOCOL : undefined,
      origin: flags.text('origin'),
      headers: headersOf(invocation),
      compress: flags.has('compress'),
      handshakeTimeoutMs: readDuration(flags, 'handshake-timeout', DEFAULTS.handshakeTimeout),
    },
    connections: flags.integer('connections') ?? DEFAULTS.connections,
    connectRate: flags.integer('connect-rate') ?? DEFAULTS.connectRate,
    topics: readList(flags.list('topics')),
    topicsPerConnection: flags.integer('topics-per-connection'),
    publishTopics: flags.has('publish-topics') ? readList(flags.list('publish-topics')) : undefined,
    durationMs: readDuration(flags, 'duration', DEFAULTS.duration),
    rate: flags.integer('rate') ?? DEFAULTS.rate,
    size: flags.integer('size') ?? DEFAULTS.size,
    storm: flags.has('reconnect-storm'),
  };
}

function readDuration(flags: Invocation['flags'], name: string, unlessGiven: string): number {
  const text = flags.text(name) ?? unlessGiven;
  const durationMs = parseDuration(text);
  if (durationMs === undefined) throw new UsageError(`--${name} must be a time such as 30s, 5m or 1h, not "${text}"`);
  return durationMs;
}

function readUrl(address: string): string {
  if (!URL.canParse(address) || !/^wss?:$/.test(new URL(address).protocol)) {
    throw new UsageError(`"${address}" is not a ws:// or wss:// URL`);
  }
  if (new URL(address).searchParams.has('topics')) {
    throw new UsageError('give topics with --topics, not in the URL: the check must know which events to expect');
  }
  return address;
}

/** With `--publish`, PREGON_TOKEN is the token of the HTTP port, which must not be shown to anything else. */
function headersOf(invocation: Invocation): Record<string, string> {
  const { flags, settings } = invocation;
  const headers = readHeaders(flags.list('header'));
  const isGiven = Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
  if (isGiven && flags.has('token-file')) {
    throw new UsageError('--header and --token-file both give the token: remove one of them');
  }
  return isGiven
    ? headers
    : { ...headers, ...bearerHeaders(invocation, flags.has('publish') ? undefined : settings.token) };
}

function readHeaders(texts: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const text of texts) {
    const [, name, value] = /^([!#$%&'*+.^`|~\w-]+):[ \t]*([\t\x20-\x7e]*)$/.exec(text) ?? [];
    if (name === undefined || value === undefined) {
      throw new UsageError(`--header must have the form "Name: value", not "${text}"`);
    }
    headers[name] = value;
  }
  return headers;
}

function readList(texts: readonly string[]): string[] {
  return texts.flatMap((text) => text.split(',')).map((text) => text.trim());
}

/**
 * Aborted by Ctrl-C, by SIGTERM, and when standard output is closed by its reader. A second Ctrl-C ends the process at
 * once.
 */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  void stopRequested().then(() => controller.abort());
  whenOutputGone(() => controller.abort());
  return controller.signal;
}
