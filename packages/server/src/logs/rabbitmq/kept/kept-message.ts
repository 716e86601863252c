import { readJson } from '../../../core/json-input.js';
import type { KeptValue } from '../../../core/ports/kept.js';
import type { ConsumeMessage } from '../connection/amqp.js';

const KEPT_HEADER = 'pregon-kept';

/** One change of the set; or a fence, which shows that all before it was read. */
export type KeptChange =
  | { readonly kind: 'put'; readonly id: string; readonly key: string; readonly value: KeptValue }
  | { readonly kind: 'delete'; readonly id: string; readonly key: string }
  | { readonly kind: 'fence'; readonly id: string };

export interface KeptMessage {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** The header marks it; the body is JSON, which has a form for every string. Later releases add members. */
export function toKeptMessage(change: KeptChange): KeptMessage {
  return { body: Buffer.from(JSON.stringify(change)), headers: { [KEPT_HEADER]: 1 } };
}

/** Undefined if it is another message, or one of a later release: who may write to the stream can write anything. */
export function readKeptMessage({ content, properties }: ConsumeMessage): KeptChange | undefined {
  if (properties.headers?.[KEPT_HEADER] !== 1) return undefined;
  try {
    return toChange(readJson(content.toString('utf8'), 'a kept value'));
  } catch {
    return undefined;
  }
}

function toChange(body: unknown): KeptChange | undefined {
  const { kind, id, key, value } = Object(body);
  if (typeof id !== 'string') return undefined;
  if (kind === 'fence') return { kind, id };
  if (typeof key !== 'string') return undefined;
  if (kind === 'delete') return { kind, id, key };
  const text: unknown = Reflect.get(Object(value), 'value');
  const expiresAt: unknown = Reflect.get(Object(value), 'expiresAt');
  if (kind !== 'put' || typeof text !== 'string') return undefined;
  return { kind, id, key, value: { value: text, expiresAt: typeof expiresAt === 'number' ? expiresAt : undefined } };
}
