import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { assertPattern, decodePosition, encodeFrame, PregonError, SUBPROTOCOL } from '@pregon/protocol';
import { WebSocket } from 'ws';
import { type Command, type Invocation, UsageError } from './command.js';
import { type Conversation, openConversation } from './interactive.js';
import { complain, whenOutputGone } from './output.js';

const DEFAULT_WAIT_MS = 1_000;

export const connect: Command = {
  name: 'connect',
  summary: 'Connect to a route and talk to it: type to send; what comes stands behind ": "',
  details: [
    'Ctrl-C or Ctrl-D ends it. Where standard input is no terminal, its lines are sent; after the last one the',
    'connection stays open for --wait-ms.',
  ],
  arguments: [{ name: 'URL', required: true, description: 'ws://localhost:1234/events' }],
  flags: {
    subprotocol: { kind: 'text', value: 'NAME', description: `ask for a subprotocol: ${SUBPROTOCOL}` },
    since: { kind: 'text', value: 'first|POSITION', description: 'what happened before too' },
    topics: {
      kind: 'text',
      value: 'PATTERNS',
      repeats: true,
      description: 'only these topic patterns, separated by commas',
    },
    origin: { kind: 'text', value: 'ORIGIN', description: 'connect as a page of this origin would' },
    'wait-ms': {
      kind: 'integer',
      value: 'N',
      description: `how long to stay after the end of an input that is no terminal; ${DEFAULT_WAIT_MS} unless given`,
    },
  },
  examples: ['pregon connect ws://localhost:1234/events', 'pregon connect ws://localhost:1234/events --since=first'],
  async run(invocation) {
    const target = readTarget(invocation);
    const { flags } = invocation;
    const socket = new WebSocket(target.url, flags.has('subprotocol') ? [flags.text('subprotocol') ?? ''] : [], {
      origin: flags.text('origin'),
    });
    // Listened to from the start: a gateway may close in the same packet in which it accepts.
    const closed = new Promise<{ code: number; reason: string }>((resolve) => {
      socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    const conversation = new Promise<Conversation>((resolve) => {
      socket.once('open', () => resolve(openConversation()));
    });
    socket.on('message', (data, isBinary) => {
      void conversation.then(({ show }) => show(isBinary ? describeBinary(data) : printable(data.toString())));
    });
    socket.on('unexpected-response', (_request, response) => {
      const { statusCode, statusMessage } = response;
      response.resume();
      socket.emit('error', new PregonError('CONNECTION_LOST', `the gateway answered ${statusCode} ${statusMessage}`));
    });
    await once(socket, 'open');
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

/** Without a subprotocol the query says what to send; with ours, a `subscribe` frame does. */
function readTarget(invocation: Invocation): Target {
  const { flags } = invocation;
  const address = invocation.argument('URL') ?? '';
  if (!URL.canParse(address) || !/^wss?:$/.test(new URL(address).protocol)) {
    throw new UsageError(`"${address}" is not a ws:// or wss:// URL`);
  }
  const since = flags.text('since');
  if (since !== undefined && since !== 'first') decodePosition(since);
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

/** Sends what is typed until either side ends it. @returns the exit code: 0 where we ended it, or the gateway did so normally */
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
    .then(() => (process.stdin.isTTY ? undefined : Promise.race([delay(waitMs), closed])))
    .catch((error: unknown) => complain(`pregon: ${error}`))
    .finally(leave);
  const { code, reason } = await closed;
  complain(`closed: ${code}${reason ? ` ${printable(reason)}` : ''}`);
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

/** What others send must not steer this terminal. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) =>
    character === '\t' ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function describeBinary(data: WebSocket.RawData): string {
  const bytes = Buffer.isBuffer(data) ? data : Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
  const start = bytes.subarray(0, 32).toString('hex');
  return `<${bytes.length} bytes: ${start}${bytes.length > 32 ? '…' : ''}>`;
}
