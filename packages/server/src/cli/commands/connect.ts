import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { assertPattern, assertPosition, encodeFrame, PregonError, SUBPROTOCOL } from '@pregon/protocol';
import { WebSocket } from 'ws';
import { atMost } from '../../core/time/deadline.js';
import { failureOf, failureOfStatus } from '../../load/failure.js';
import type { Command, Invocation } from '../command.js';
import { complain, whenOutputGone } from '../terminal/output.js';
import { bearerHeaders, CLIENT_TOKEN_FLAG } from '../token-input.js';
import { UsageError } from '../usage-error.js';
import { type Conversation, openConversation } from './interactive.js';

const DEFAULT_WAIT_MS = 1_000;

/** How many characters of the answer to a refused handshake are read at most. */
const MAX_PROBLEM_CHARACTERS = 4_096;

export const connect: Command = {
  name: 'connect',
  summary: 'Connect to a route: each typed line is sent; each received message is shown after ": "',
  details: [
    'Ctrl-C or Ctrl-D ends it. If standard input is not a terminal, its lines are sent; after the last one the',
    'connection stays open for --wait-ms.',
  ],
  arguments: [{ name: 'URL', required: true, description: 'ws://localhost:1234/events' }],
  flags: {
    subprotocol: { kind: 'text', value: 'NAME', description: `ask for a subprotocol: ${SUBPROTOCOL}` },
    since: {
      kind: 'text',
      value: 'first|POSITION',
      description: 'replay events: all that are retained, or those after a position',
    },
    topics: {
      kind: 'text',
      value: 'PATTERNS',
      repeats: true,
      description: 'only these topic patterns, separated by commas',
    },
    'token-file': CLIENT_TOKEN_FLAG,
    origin: { kind: 'text', value: 'ORIGIN', description: 'connect as a page of this origin would' },
    'wait-ms': {
      kind: 'integer',
      value: 'N',
      description: `how long to stay open after the end of an input that is not a terminal (default: ${DEFAULT_WAIT_MS})`,
    },
  },
  examples: ['pregon connect ws://localhost:1234/events', 'pregon connect ws://localhost:1234/events --since=first'],
  async run(invocation) {
    const target = readTarget(invocation);
    const { flags } = invocation;
    const socket = new WebSocket(target.url, flags.has('subprotocol') ? [flags.text('subprotocol') ?? ''] : [], {
      origin: flags.text('origin'),
      headers: bearerHeaders(invocation, invocation.settings.token),
    });
    // Add this listener before the handshake: a gateway may accept and close in the same packet.
    const closed = new Promise<{ code: number; reason: string }>((resolve) => {
      socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    const conversation = new Promise<Conversation>((resolve) => {
      socket.once('open', () => resolve(openConversation()));
    });
    socket.on('message', (data, isBinary) => {
      void conversation.then(({ show }) => show(isBinary ? describeBinary(data) : data.toString()));
    });
    socket.on('unexpected-response', (_request, response) => {
      void refusalOf(response).then((error) => socket.emit('error', error));
    });
    await once(socket, 'open').catch((cause: unknown) => {
      throw notConnected(target.url, cause);
    });
    socket.on('error', (error) => complain(`pregon: ${error.message}`));
    for (const frame of target.firstFrames) socket.send(frame);
    complain(`connected to ${target.url}${socket.protocol ? ` (${socket.protocol})` : ''}`);
    return talk(socket, await conversation, closed, flags.integer('wait-ms') ?? DEFAULT_WAIT_MS);
  },
};

interface Target {
  readonly url: string;
  readonly firstFrames: readonly string[];
}

/** Without a subprotocol the query selects the events; with `pregon.v1`, a `subscribe` frame does. */
function readTarget(invocation: Invocation): Target {
  const { flags } = invocation;
  const address = invocation.argument('URL') ?? '';
  if (!URL.canParse(address) || !/^wss?:$/.test(new URL(address).protocol)) {
    throw new UsageError(`"${address}" is not a ws:// or wss:// URL`);
  }
  const since = flags.text('since');
  if (since !== undefined && since !== 'first') assertPosition(since);
  const topics = flags.has('topics') ? flags.list('topics').flatMap((list) => list.split(',')) : undefined;
  topics?.forEach(assertPattern);
  const url = new URL(address);
  if (flags.text('subprotocol') !== SUBPROTOCOL) {
    if (since !== undefined) url.searchParams.set('since', since);
    if (topics !== undefined) url.searchParams.set('topics', topics.join(','));
    return { url: url.href, firstFrames: [] };
  }
  const asked = since !== undefined || topics !== undefined;
  return { url: url.href, firstFrames: asked ? [encodeFrame({ op: 'subscribe', id: 1, topics, since })] : [] };
}

/** The error for a handshake that got another status: the problem title from the gateway, if any, and what to do. */
async function refusalOf(response: IncomingMessage): Promise<PregonError> {
  const { statusCode = 0, statusMessage = '' } = response;
  const { reason, advice } = failureOfStatus(statusCode, statusMessage, undefined);
  const title = await titleOf(response);
  const why = title === undefined ? '' : `: ${title}`;
  const known = advice === undefined || /--connect-rate/.test(advice) ? '' : `; ${advice}`;
  return new PregonError('CONNECTION_LOST', `the gateway answered ${reason}${why}${known}`);
}

/** The title of a problem (RFC 9457); undefined if the answer is something else, such as a proxy's page. */
async function titleOf(response: IncomingMessage): Promise<string | undefined> {
  let text = '';
  try {
    for await (const chunk of response.setEncoding('utf8')) {
      text += chunk;
      if (text.length > MAX_PROBLEM_CHARACTERS) return undefined;
    }
    const problem: unknown = JSON.parse(text);
    if (typeof problem === 'object' && problem !== null && 'title' in problem) return String(problem.title);
  } catch {
    // A proxy answered with a page, or closed the connection: the status is enough.
  }
  return undefined;
}

function notConnected(url: string, cause: unknown): unknown {
  if (!(cause instanceof Error) || cause instanceof PregonError) return cause;
  const { reason, advice } = failureOf(cause);
  const { origin, pathname } = new URL(url);
  const message = `cannot connect to ${origin === 'null' ? url.split('?', 1)[0] : origin + pathname}: ${reason}`;
  return new PregonError('CONNECTION_LOST', advice === undefined ? message : `${message}; ${advice}`, { cause });
}

/**
 * Sends typed lines until either side closes the connection.
 *
 * @returns the exit code: 0 if this side closed the connection, or the gateway closed it with 1000
 */
async function talk(
  socket: WebSocket,
  conversation: Conversation,
  closed: Promise<{ code: number; reason: string }>,
  waitMs: number,
): Promise<number> {
  let ending = false;
  const leave = () => {
    ending = true;
    socket.close(1000);
  };
  process.once('SIGINT', leave);
  process.once('SIGTERM', leave);
  whenOutputGone(leave);
  sendLines(socket, conversation)
    .then(() => (process.stdin.isTTY ? undefined : atMost(waitMs, closed)))
    .catch((error: unknown) => complain(`pregon: ${error}`))
    .finally(leave);
  const { code, reason } = await closed;
  complain(`closed: ${code}${reason ? ` ${reason}` : ''}`);
  const ours = ending;
  conversation.close();
  return ours || code === 1000 ? 0 : 1;
}

async function sendLines(socket: WebSocket, conversation: Conversation): Promise<void> {
  for await (const line of conversation.lines) {
    if (socket.readyState !== WebSocket.OPEN) return;
    await new Promise<void>((resolve) => {
      socket.send(line, () => resolve());
    });
  }
}

function describeBinary(data: WebSocket.RawData): string {
  const bytes = Buffer.isBuffer(data) ? data : Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
  const start = bytes.subarray(0, 32).toString('hex');
  return `<${bytes.length} bytes: ${start}${bytes.length > 32 ? '…' : ''}>`;
}
