import { messageOf } from '@pregon/protocol';
import { titleOf } from '../reach/ask.js';
import { type Block, BlockParser } from './block-parser.js';
import type { StreamSettings } from './stream-settings.js';

/** How an attempt ended. */
export interface StreamEnd {
  /** The status of the answer; undefined if there was none. */
  readonly status: number | undefined;
  readonly message: string;
  /** Whether another attempt can succeed. */
  readonly isFinal: boolean;
  /** The least delay before the next attempt, in milliseconds, if the gateway asks for one. */
  readonly retryMs?: number | undefined;
}

export interface StreamAttempt {
  readonly url: string;
  readonly lastEventId: string;
  readonly settings: StreamSettings;
  /** Ends the attempt. */
  readonly signal: AbortSignal;
  /** The gateway has admitted the client. */
  readonly onOpen: () => void;
  readonly onBlock: (block: Block) => void;
}

/** Statuses after which another attempt can succeed: a timeout, a limit, or a server that is not there now. */
const isPassing = (status: number) => status >= 500 || [408, 425, 429].includes(status);

/** Opens one stream and reads it to its end. Never rejects. */
export async function readStream(attempt: StreamAttempt): Promise<StreamEnd> {
  const stop = new AbortController();
  const end = () => stop.abort();
  attempt.signal.addEventListener('abort', end);
  try {
    return await open(attempt, stop);
  } catch (error) {
    return { status: undefined, message: messageOf(error), isFinal: false };
  } finally {
    attempt.signal.removeEventListener('abort', end);
    stop.abort();
  }
}

async function open(attempt: StreamAttempt, stop: AbortController): Promise<StreamEnd> {
  const { url, lastEventId, settings } = attempt;
  const { connectTimeoutMs, credentials, fetch } = settings;
  const token: unknown = await inTime(attempt, connectTimeoutMs, 'token()', Promise.resolve(settings.token()));
  const headers = {
    Accept: 'text/event-stream',
    ...(typeof token === 'string' && token !== '' ? { Authorization: `Bearer ${token}` } : {}),
    ...(lastEventId === '' ? {} : { 'Last-Event-ID': lastEventId }),
  };
  const asking = fetch(url, { headers, credentials, cache: 'no-store', signal: stop.signal });
  const response = await inTime(attempt, connectTimeoutMs, 'the gateway', asking);
  const { status, body } = response;
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  if (status === 200 && isStream && body) {
    attempt.onOpen();
    return read(attempt, body.getReader());
  }
  const retryAfterS = Number(response.headers.get('retry-after') ?? Number.NaN);
  const title = await inTime(attempt, connectTimeoutMs, 'the gateway', titleOf(response)).catch(() => undefined);
  return {
    status,
    message: title ?? (status === 200 ? 'the answer is no event stream' : `the gateway answered ${status}`),
    isFinal: !isPassing(status),
    retryMs: retryAfterS >= 0 ? retryAfterS * 1_000 : undefined,
  };
}

async function read(
  attempt: StreamAttempt,
  reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>,
): Promise<StreamEnd> {
  const decoder = new TextDecoder();
  const parser = new BlockParser(attempt.lastEventId);
  let [retryMs, closing]: [number | undefined, Closing | undefined] = [undefined, undefined];
  const { silenceTimeoutMs } = attempt.settings;
  for (;;) {
    const { done, value } = await inTime(attempt, silenceTimeoutMs, 'the stream', reader.read());
    if (done || attempt.signal.aborted) break;
    for (const block of parser.push(decoder.decode(value, { stream: true }))) {
      retryMs = block.retryMs ?? retryMs;
      if (block.type === 'closing') closing = closingIn(block.data);
      attempt.onBlock(block);
    }
  }
  const message = closing?.reason ?? 'the stream ended';
  return { status: 200, message, isFinal: closing?.reconnect === false, retryMs };
}

interface Closing {
  readonly reason: string;
  readonly reconnect: boolean;
}

function closingIn(data: string | undefined): Closing | undefined {
  try {
    const { reason, reconnect }: Partial<Record<string, unknown>> = Object(JSON.parse(data ?? ''));
    return { reason: typeof reason === 'string' ? reason : '', reconnect: reconnect !== false };
  } catch {
    return undefined;
  }
}

/** @throws Error if it takes longer, or the attempt is ended */
function inTime<T>(
  { settings: { clock }, signal }: StreamAttempt,
  ms: number,
  what: string,
  promise: Promise<T>,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abort = () => finish(() => reject(new Error('the stream was closed')));
    const cancel = clock.after(ms, () => finish(() => reject(new Error(`${what} did not answer within ${ms} ms`))));
    const finish = (settle: () => void) => {
      cancel();
      signal.removeEventListener('abort', abort);
      settle();
    };
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    promise.then(
      (value) => finish(() => resolve(value)),
      (error: unknown) => finish(() => reject(error)),
    );
  });
}
