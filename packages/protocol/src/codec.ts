import { PregonError } from './errors.js';
import { assertEvent, isRecord, type PregonEvent } from './event.js';
import type { ClientFrame, GatewayFrame, RequestId, SendFrame, SubscribeFrame } from './frames.js';
import { assertJsonShape, type JsonShape } from './json-shape.js';
import { assertPattern } from './topics.js';

/** The largest frame that a gateway takes from a client, in bytes, 1 MiB, unless it is configured otherwise. */
export const DEFAULT_MAX_FRAME_BYTES = 1_048_576;

/** How deeply a frame from a client may be nested, and how many values it may hold, unless the gateway is configured otherwise. */
export const DEFAULT_FRAME_SHAPE: JsonShape = { maxDepth: 64, maxValues: 16_384 };

/** The most topic patterns in one subscription. */
export const MAX_PATTERNS = 1_000;

export function encodeFrame(frame: ClientFrame | GatewayFrame): string {
  return JSON.stringify(frame);
}

/**
 * Reads what a client sent under `pregon.v1`.
 *
 * @throws PregonError FRAME_INVALID | FRAME_TOO_LARGE | OP_UNKNOWN | TOPIC_INVALID
 */
export function decodeClientFrame(text: string, maxFrameBytes: number = DEFAULT_MAX_FRAME_BYTES): ClientFrame {
  return readClientFrame(parseClientFrame(text, maxFrameBytes));
}

/**
 * The first half of {@link decodeClientFrame}: parses, once, what a client sent. If {@link readClientFrame} then refuses it,
 * {@link idOfFrame} knows what the error answers.
 *
 * @throws PregonError FRAME_INVALID | FRAME_TOO_LARGE
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

/** @throws PregonError FRAME_INVALID | OP_UNKNOWN | TOPIC_INVALID */
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
    default:
      throw new PregonError('OP_UNKNOWN', `unknown op: ${describeOp(frame['op'])}`);
  }
}

/** Only text is shown: JSON that is nested deeply enough cannot be written again. */
function describeOp(op: unknown): string {
  return typeof op === 'string' ? JSON.stringify(op.slice(0, 40)) : `a ${typeof op}`;
}

/** The id of a frame that was parsed; undefined if it has none. */
export function idOfFrame(frame: Record<string, unknown>): RequestId | undefined {
  const { id } = frame;
  return isId(id) ? id : undefined;
}

/** The form in which `encodeFrame` writes the beginning of a frame that has an id. */
const HEAD = /^\{"op":"[a-z]{1,20}","id":(\d{1,16})[,}]/;

/**
 * The id of a frame that was refused before it was parsed, so that the error can say what it answers; undefined unless the frame begins
 * with `{"op":"…","id":…`, without blanks.
 */
export function peekId(text: string): RequestId | undefined {
  const id = Number(HEAD.exec(text.slice(0, 60))?.[1]);
  return isId(id) ? id : undefined;
}

/**
 * Reads what a gateway sent under `pregon.v1`: an event (it has `specversion`) or a control frame (it has `op`). A control frame
 * of an `op` that this version does not know is undefined, so that later gateways may say more.
 *
 * @throws PregonError FRAME_INVALID | EVENT_INVALID
 */
export function decodeGatewayFrame(text: string): PregonEvent | GatewayFrame | undefined {
  const frame = parseObject(text);
  // Looked for before `op`: an event may have an extension attribute of that name, and must not pass for a control frame.
  if (frame['specversion'] !== undefined || frame['op'] === undefined) {
    assertEvent(frame);
    return frame;
  }
  if (!isGatewayFrame(frame)) return undefined;
  if (frame.op === 'batch') for (const event of frame.events) assertEvent(event);
  return frame;
}

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
  throw new PregonError('FRAME_TOO_LARGE', `a frame of ${text.length} bytes; at most ${maxFrameBytes} are taken`);
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
  const { topics, since } = frame;
  const snapshot = readFlag(frame, 'snapshot');
  const batch = readFlag(frame, 'batch');
  if (since !== undefined && typeof since !== 'string')
    throw new PregonError('FRAME_INVALID', 'since must be a string');
  return {
    op: 'subscribe',
    id: readId(frame),
    ...(topics === undefined ? {} : { topics: readTopics(topics) }),
    ...(since === undefined ? {} : { since }),
    ...(snapshot === undefined ? {} : { snapshot }),
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

function readId(frame: Record<string, unknown>): RequestId {
  const id = frame['id'];
  if (!isId(id)) throw new PregonError('FRAME_INVALID', 'id must be an integer from 0 to 2^53 - 1');
  return id;
}

function isId(value: unknown): value is RequestId {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
