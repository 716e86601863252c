import { PregonError } from './errors.js';
import { assertEvent, isRecord, type PregonEvent } from './event.js';
import type { AuthFrame, ClientFrame, GatewayFrame, RequestId, SendFrame, SubscribeFrame } from './frames.js';
import { assertJsonShape, type JsonShape } from './json-shape.js';
import { assertPattern } from './topics.js';

/** The default limit for a frame from a client: 1 MiB. A gateway can be configured with another limit. */
export const DEFAULT_MAX_FRAME_BYTES = 1_048_576;

/**
 * The default limits for the nesting and the number of values of a frame from a client. A gateway can be configured
 * with others.
 */
export const DEFAULT_FRAME_SHAPE: JsonShape = { maxDepth: 64, maxValues: 16_384 };

/** The maximum number of topic patterns in one subscription. */
export const MAX_PATTERNS = 1_000;

/**
 * Encodes a frame as compact JSON.
 *
 * @example
 * encodeFrame({ op: 'subscribe', id: 1, topics: ['user.#'] });
 */
export function encodeFrame(frame: ClientFrame | GatewayFrame): string {
  return JSON.stringify(frame);
}

/**
 * Parses and checks a frame that a client sent under `pregon.v1`.
 *
 * @param maxFrameBytes the limit for the length of `text`
 * @throws PregonError FRAME_INVALID | FRAME_TOO_LARGE | OP_UNKNOWN | TOPIC_INVALID
 * @example
 * decodeClientFrame('{"op":"ping"}'); // { op: 'ping' }
 */
export function decodeClientFrame(text: string, maxFrameBytes: number = DEFAULT_MAX_FRAME_BYTES): ClientFrame {
  return readClientFrame(parseClientFrame(text, maxFrameBytes));
}

/**
 * Parses a frame of a client: the first half of {@link decodeClientFrame}. If {@link readClientFrame} then refuses the
 * frame, {@link idOfFrame} returns the id for the error, so the text is parsed only once.
 *
 * @throws PregonError FRAME_INVALID | FRAME_TOO_LARGE
 * @example
 * const frame = parseClientFrame(text);
 * const id = idOfFrame(frame);
 */
export function parseClientFrame(
  text: string,
  maxFrameBytes: number = DEFAULT_MAX_FRAME_BYTES,
  shape: JsonShape = DEFAULT_FRAME_SHAPE,
): Record<string, unknown> {
  assertLength(text, maxFrameBytes);
  assertJsonShape(text, shape);
  return parseObject(text);
}

/**
 * Checks a parsed frame of a client: the second half of {@link decodeClientFrame}.
 *
 * @throws PregonError FRAME_INVALID | OP_UNKNOWN | TOPIC_INVALID
 * @example
 * readClientFrame(parseClientFrame('{"op":"ping"}')); // { op: 'ping' }
 */
export function readClientFrame(frame: Record<string, unknown>): ClientFrame {
  switch (frame['op']) {
    case 'subscribe':
      return readSubscribe(frame);
    case 'unsubscribe':
      return { op: 'unsubscribe', id: readId(frame) };
    case 'send':
      return readSend(frame);
    case 'ping':
      return { op: 'ping' };
    case 'auth':
      return readAuth(frame);
    default:
      throw new PregonError('OP_UNKNOWN', `unknown op: ${describeOp(frame['op'])}`);
  }
}

/** Shows only strings: `JSON.stringify` overflows the stack for a value that is nested deeply enough. */
function describeOp(op: unknown): string {
  return typeof op === 'string' ? JSON.stringify(op.slice(0, 40)) : `a ${typeof op}`;
}

/**
 * Returns the id of a parsed frame, or undefined if it has none.
 *
 * @example
 * idOfFrame({ op: 'subscribe', id: 7 }); // 7
 */
export function idOfFrame(frame: Record<string, unknown>): RequestId | undefined {
  const { id } = frame;
  return isId(id) ? id : undefined;
}

/** The start of a frame with an id, in the form that `encodeFrame` writes. */
const HEAD = /^\{"op":"[a-z]{1,20}","id":(\d{1,16})[,}]/;

/**
 * Reads the id of a frame that was refused before it was parsed, so that the error can name the request. The frame must
 * begin with `{"op":"…","id":…`, without blanks.
 *
 * @returns undefined if the frame begins in any other way
 * @example
 * peekId('{"op":"subscribe","id":7,"topics":[]}'); // 7
 */
export function peekId(text: string): RequestId | undefined {
  const id = Number(HEAD.exec(text.slice(0, 60))?.[1]);
  return isId(id) ? id : undefined;
}

/**
 * Parses and checks a frame that a gateway sent under `pregon.v1`: an event (it has `specversion`) or a control frame
 * (it has `op`).
 *
 * @returns undefined for a control frame with an `op` that this version does not know, so that later gateways can add
 * frames
 * @throws PregonError FRAME_INVALID | EVENT_INVALID
 * @example
 * const frame = decodeGatewayFrame(text);
 * if (frame && isEvent(frame)) console.log(frame.type);
 */
export function decodeGatewayFrame(text: string): PregonEvent | GatewayFrame | undefined {
  const frame = parseObject(text);
  // `specversion` comes before `op`: an event may have an extension attribute named `op` and must not be read as a
  // control frame.
  if (frame['specversion'] !== undefined || frame['op'] === undefined) {
    assertEvent(frame);
    return frame;
  }
  if (!isGatewayFrame(frame)) return undefined;
  if (frame.op === 'batch') for (const event of frame.events) assertEvent(event);
  return frame;
}

/**
 * Tells an event from a control frame.
 *
 * @example
 * if (isEvent(frame)) console.log(frame.type, frame.position);
 */
export function isEvent(frame: PregonEvent | GatewayFrame): frame is PregonEvent {
  return 'specversion' in frame;
}

const GATEWAY_FIELDS: Record<GatewayFrame['op'], Record<string, 'string' | 'number' | 'boolean' | 'array'>> = {
  welcome: { connection: 'string', heartbeatMs: 'number' },
  subscribed: { id: 'number', position: 'string', recovered: 'boolean' },
  unsubscribed: { id: 'number' },
  events: { id: 'number' },
  batch: { events: 'array' },
  snapshot: { id: 'number', rows: 'array', more: 'boolean' },
  reset: { id: 'number', reason: 'string' },
  checkpoint: { id: 'number', position: 'string' },
  message: { name: 'string' },
  ack: { id: 'number' },
  error: { code: 'string', message: 'string', retryable: 'boolean' },
  draining: { reconnectInMs: 'number' },
  authorized: {},
  expiring: { inMs: 'number' },
  pong: {},
};

function isGatewayFrame(frame: Record<string, unknown>): frame is Record<string, unknown> & GatewayFrame {
  const op = frame['op'];
  if (typeof op !== 'string' || !isGatewayOp(op)) return false;
  for (const [name, kind] of Object.entries(GATEWAY_FIELDS[op])) {
    const value = frame[name];
    const fits = kind === 'array' ? Array.isArray(value) : typeof value === kind;
    if (!fits) throw new PregonError('FRAME_INVALID', `${op}.${name} must be of type ${kind}`);
  }
  return true;
}

function isGatewayOp(op: string): op is GatewayFrame['op'] {
  return Object.hasOwn(GATEWAY_FIELDS, op);
}

function assertLength(text: string, maxFrameBytes: number): void {
  if (text.length <= maxFrameBytes) return;
  throw new PregonError('FRAME_TOO_LARGE', `the frame has ${text.length} bytes; the limit is ${maxFrameBytes}`);
}

function parseObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new PregonError('FRAME_INVALID', 'the frame is not JSON', { cause });
  }
  if (!isRecord(value)) throw new PregonError('FRAME_INVALID', 'the frame is not a JSON object');
  return value;
}

function readSubscribe(frame: Record<string, unknown>): SubscribeFrame {
  const { topics, since, rights } = frame;
  const snapshot = readFlag(frame, 'snapshot');
  const batch = readFlag(frame, 'batch');
  if (since !== undefined && typeof since !== 'string')
    throw new PregonError('FRAME_INVALID', 'since must be a string');
  if (rights !== undefined && typeof rights !== 'string')
    throw new PregonError('FRAME_INVALID', 'rights must be a string');
  return {
    op: 'subscribe',
    id: readId(frame),
    ...(topics === undefined ? {} : { topics: readTopics(topics) }),
    ...(since === undefined ? {} : { since }),
    ...(snapshot === undefined ? {} : { snapshot }),
    ...(rights === undefined ? {} : { rights }),
    ...(batch === undefined ? {} : { batch }),
  };
}

function readFlag(frame: Record<string, unknown>, name: string): boolean | undefined {
  const value = frame[name];
  if (value === undefined || typeof value === 'boolean') return value;
  throw new PregonError('FRAME_INVALID', `${name} must be true or false`);
}

function readTopics(topics: unknown): string[] {
  if (!Array.isArray(topics) || topics.length === 0 || topics.length > MAX_PATTERNS) {
    throw new PregonError('FRAME_INVALID', `topics must be a list of 1 to ${MAX_PATTERNS} patterns`);
  }
  return topics.map((topic: unknown) => {
    if (typeof topic !== 'string') throw new PregonError('FRAME_INVALID', 'a topic pattern must be a string');
    assertPattern(topic);
    return topic;
  });
}

function readSend(frame: Record<string, unknown>): SendFrame {
  const { name, data } = frame;
  if (typeof name !== 'string' || name.length === 0) {
    throw new PregonError('FRAME_INVALID', 'name must be a non-empty string');
  }
  return { op: 'send', ...(frame['id'] === undefined ? {} : { id: readId(frame) }), name, data };
}

function readAuth(frame: Record<string, unknown>): AuthFrame {
  const { token } = frame;
  if (typeof token !== 'string' && token !== null) {
    throw new PregonError('FRAME_INVALID', 'token must be a string, or null to sign out');
  }
  return { op: 'auth', ...(frame['id'] === undefined ? {} : { id: readId(frame) }), token };
}

function readId(frame: Record<string, unknown>): RequestId {
  const id = frame['id'];
  if (!isId(id)) throw new PregonError('FRAME_INVALID', 'id must be an integer from 0 to 2^53 - 1');
  return id;
}

function isId(value: unknown): value is RequestId {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
