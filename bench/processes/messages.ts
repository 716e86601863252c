/** The input of a question to a process of a benchmark. */
export type Fields = Readonly<Record<string, string | number | readonly number[]>>;

/** The answer of such a process. */
export type Figures = Readonly<Record<string, number | readonly number[]>>;

export interface Ask {
  readonly id: number;
  readonly op: string;
  readonly fields: Fields;
}

export type Answer =
  | { readonly id: number; readonly figures: Figures }
  | { readonly id: number; readonly error: string };

/** @throws TypeError if there is no such number */
export function numberOf(values: Fields, name: string): number {
  const value = values[name];
  if (typeof value !== 'number') throw new TypeError(`the number "${name}" is missing`);
  return value;
}

/** @throws TypeError if there is no such list of numbers */
export function seriesOf(values: Fields, name: string): readonly number[] {
  const value = values[name];
  if (typeof value !== 'object') throw new TypeError(`the list of numbers "${name}" is missing`);
  return value;
}

/** @throws TypeError if there is no such text */
export function textOf(values: Fields, name: string): string {
  const value = values[name];
  if (typeof value !== 'string') throw new TypeError(`the text "${name}" is missing`);
  return value;
}

export function isAsk(message: unknown): message is Ask {
  return isRecord(message) && typeof message['id'] === 'number' && typeof message['op'] === 'string';
}

export function isAnswer(message: unknown): message is Answer {
  return isRecord(message) && typeof message['id'] === 'number' && ('figures' in message || 'error' in message);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
