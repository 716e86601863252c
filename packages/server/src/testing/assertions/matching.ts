import { isDeepStrictEqual } from 'node:util';

/** A placeholder in an expected value: matches every value that the predicate accepts. */
export class Pattern {
  readonly accepts: (value: unknown) => boolean;
  readonly shown: string;

  constructor(shown: string, accepts: (value: unknown) => boolean) {
    this.shown = shown;
    this.accepts = accepts;
  }
}

/** Matches any text that contains `part`. */
export function containing(part: string): Pattern {
  return new Pattern(`a text with ${part}`, (value) => typeof value === 'string' && value.includes(part));
}

/** Deep equality. An undefined member counts as absent, and prototypes are ignored. */
export function isEqual(actual: unknown, expected: unknown): boolean {
  return isDeepStrictEqual(comparable(actual), comparable(expected));
}

/**
 * Whether `actual` has all members of `expected`, at any depth. Lists must have the same length, and their elements
 * must match.
 */
export function isMatch(actual: unknown, expected: unknown): boolean {
  if (expected instanceof Pattern) return expected.accepts(actual);
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) return false;
    return expected.every((element: unknown, index) => isMatch(actual[index], element));
  }
  if (!isMembered(expected)) return isEqual(actual, expected);
  if (typeof actual !== 'object' || actual === null) return false;
  return Object.entries(expected).every(
    ([name, value]) => Reflect.has(actual, name) && isMatch(Reflect.get(actual, name), value),
  );
}

function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (value instanceof Map) return new Map([...value].map(([key, held]) => [key, comparable(held)]));
  if (!isMembered(value)) return value;
  // On an object without a prototype, a member may have any name, even `__proto__`.
  const members: Record<string, unknown> = Object.create(null);
  for (const [name, member] of Object.entries(value)) if (member !== undefined) members[name] = comparable(member);
  return members;
}

/** Whether a value is an object that consists of its members only. */
function isMembered(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  return !(value instanceof Map || value instanceof Set || value instanceof Error || ArrayBuffer.isView(value));
}
