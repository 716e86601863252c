import type { z } from 'zod';
import { accessProblems } from './access/access-problems.js';
import { nearest } from './nearest.js';
import type { ConfigurationPath, Problem } from './problems.js';
import { configurationSchema } from './schema.js';

export type ValidConfiguration = z.output<ReturnType<typeof configurationSchema>>;

const NOUNS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a whole number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
};

/** Checks a whole configuration, and lists all its problems. */
export function validate(value: unknown, directory: string): { valid: ValidConfiguration } | { problems: Problem[] } {
  const schema = configurationSchema(directory);
  const result = schema.safeParse(value, { error: describe });
  const problems = duplicatePaths(value);
  for (const issue of result.error?.issues ?? []) {
    const path = placeOf(issue.path, value);
    if (issue.code === 'unrecognized_keys') problems.push(...unknownKeys(schema, path, issue.keys));
    else problems.push({ path, message: issue.message });
  }
  problems.push(...accessProblems(value, problems));
  return problems.length === 0 && result.success ? { valid: result.data } : { problems };
}

/**
 * A single value, where a list or a map may stand as well, is checked as a list of one, or as one member of the map: the
 * index or the name is not part of the place.
 */
function placeOf(path: readonly PropertyKey[], value: unknown): ConfigurationPath {
  const place: (string | number)[] = [];
  let at = value;
  for (const key of path) {
    if (typeof key === 'number' && at !== undefined && !Array.isArray(at)) continue;
    if (typeof at === 'string') continue;
    place.push(typeof key === 'number' ? key : String(key));
    at = typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined;
  }
  return place;
}

function describe(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return describeType(NOUNS[issue.expected] ?? issue.expected, issue.input);
    case 'too_small':
      return issue.origin === 'number' || issue.origin === 'int'
        ? `must be at least ${issue.minimum}`
        : 'must not be empty';
    case 'too_big':
      return `must be at most ${issue.maximum}`;
    case 'invalid_key':
      return 'is not a valid name; use letters, digits, "_", "-" and "."';
    default:
      return undefined;
  }
}

function describeType(noun: string, input: unknown): string {
  if (input === undefined) return 'is required';
  if (noun === 'a text' && (input === null || typeof input !== 'object')) return 'must be a text; put it in quotes';
  return input === null ? `is empty, must be ${noun}` : `must be ${noun}`;
}

function unknownKeys(schema: z.ZodType, path: ConfigurationPath, keys: readonly string[]): Problem[] {
  const known = knownKeys(schema, path);
  return keys.map((key) => {
    const meant = nearest(key, known);
    return {
      path: [...path, key],
      ofKey: true,
      message: meant ? `unknown key; did you mean "${meant}"?` : `unknown key; the keys are ${known.join(', ')}`,
    };
  });
}

/** The keys of the map at a path, read from the schema, so that there is no second list to maintain. */
function knownKeys(schema: z.ZodType, path: ConfigurationPath): string[] {
  let at: unknown = schema;
  for (const key of path) {
    const inner = unwrap(at);
    if (isObjectSchema(inner)) at = inner.shape[String(key)];
    else if (isRecordSchema(inner)) at = inner.valueType;
    else if (isArraySchema(inner)) at = inner.element;
  }
  const inner = unwrap(at);
  return isObjectSchema(inner) ? Object.keys(inner.shape).filter((key) => !isNever(unwrap(inner.shape[key]))) : [];
}

function unwrap(schema: unknown): unknown {
  // An array can be unwrapped too, to its elements.
  if (isArraySchema(schema)) return schema;
  if (isOptionalSchema(schema)) return unwrap(schema.unwrap());
  return isPreprocessedSchema(schema) ? unwrap(schema.out) : schema;
}

function isPreprocessedSchema(schema: unknown): schema is { out: unknown } {
  return typeof schema === 'object' && schema !== null && 'out' in schema;
}

function isOptionalSchema(schema: unknown): schema is { unwrap(): unknown } {
  return typeof schema === 'object' && schema !== null && 'unwrap' in schema;
}

function isObjectSchema(schema: unknown): schema is { shape: Record<string, unknown> } {
  return typeof schema === 'object' && schema !== null && 'shape' in schema;
}

function isRecordSchema(schema: unknown): schema is { valueType: unknown } {
  return typeof schema === 'object' && schema !== null && 'valueType' in schema;
}

function isArraySchema(schema: unknown): schema is { element: unknown } {
  return typeof schema === 'object' && schema !== null && 'element' in schema;
}

/** A key that is in the schema only for an error of its own. */
function isNever(schema: unknown): boolean {
  return typeof schema === 'object' && schema !== null && 'type' in schema && schema.type === 'never';
}

/** Not part of the schema, because a refinement does not run while any other part is invalid. */
function duplicatePaths(value: unknown): Problem[] {
  const routes = member(member(value, 'websocket'), 'routes');
  const owners = new Map<unknown, string>();
  const problems: Problem[] = [];
  for (const name of typeof routes === 'object' && routes !== null ? Object.keys(routes) : []) {
    const path = member(member(routes, name), 'path');
    const owner = owners.get(path);
    if (owner === undefined) owners.set(path, name);
    else if (typeof path === 'string') {
      problems.push({ path: ['websocket', 'routes', name, 'path'], message: `route "${owner}" has this path already` });
    }
  }
  return problems;
}

function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}
