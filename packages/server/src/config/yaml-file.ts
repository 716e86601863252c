import { messageOf } from '@pregon/protocol';
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { expandVariables, type Variables } from './expand.js';
import { ConfigurationError, type ConfigurationPath, type Problem, showPath } from './problems.js';

/**
 * The engine's messages for deep nesting, which the library passes on: for a function, and for a regular expression.
 */
const STACK_OVERFLOW = /Maximum call stack size exceeded|Stack overflow/;

const TOO_DEEP = 'it is nested too deeply';

/** The most mistakes that are listed. In a file that is not YAML, every character may be one. */
const MAX_MISTAKES = 20;

/** How many values the aliases of a file may expand to, including nested aliases. */
const MAX_ALIASES = 100;

/** A YAML document with the place of each value in the file. */
export class YamlFile {
  readonly #name: string;
  readonly #lines = new LineCounter();
  readonly #document: Document.Parsed;

  /**
   * @param name the name of the file, for messages
   * @throws ConfigurationError if the text is not YAML
   */
  constructor(name: string, text: string) {
    this.#name = name;
    // The library prints some warnings itself, for example for a map as a key. Such a key is reported as unknown
    // anyway.
    this.#document = parse(name, () =>
      parseDocument(text, { lineCounter: this.#lines, prettyErrors: false, logLevel: 'error' }),
    );
    const mistakes = [...this.#document.errors, ...this.#document.warnings];
    if (mistakes.length > 0) {
      // The library reports each unreadable level as a mistake. One error for the innermost level is enough.
      const tooDeep = mistakes.find(({ message }) => STACK_OVERFLOW.test(message));
      if (tooDeep) throw new ConfigurationError([`${this.#place(tooDeep.pos[0])} ${TOO_DEEP}`]);
      const first = mistakes.slice(0, MAX_MISTAKES);
      throw new ConfigurationError(first.map(({ pos, message }) => `${this.#place(pos[0])} ${oneLine(message)}`));
    }
  }

  /** Replaces variables in texts by their values. A variable that cannot be expanded stays, and is a problem. */
  expand(variables: Variables): Problem[] {
    const problems: Problem[] = [];
    const visit = (node: unknown, path: ConfigurationPath): void => {
      if (isMap(node)) {
        for (const { key, value } of node.items) {
          const name = keyOf(key);
          if (name === '__proto__')
            problems.push({ path: [...path, name], message: 'is not a valid name', ofKey: true });
          visit(value, [...path, name]);
        }
      }
      if (isSeq(node))
        node.items.forEach((item, index) => {
          visit(item, [...path, index]);
        });
      if (!isScalar(node) || typeof node.value !== 'string') return;
      const { text, mistakes } = expandVariables(node.value, variables);
      node.value = text;
      problems.push(...mistakes.map((message) => ({ path, message })));
    };
    visit(this.#document.contents, []);
    return problems;
  }

  toValue(): unknown {
    return parse(this.#name, () => this.#document.toJS({ maxAliasCount: MAX_ALIASES })) ?? {};
  }

  /**
   * `pregon.yml:12:5 websocket.routes.events.path`: the place of the value, or of its key if the value is a collection
   * or missing.
   */
  where(path: ConfigurationPath, ofKey = false): string {
    return `${this.#place(this.#locate(path, ofKey))} ${showPath(path)}`.trimEnd();
  }

  #place(offset: number): string {
    const { line, col } = this.#lines.linePos(offset);
    return `${this.#name}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
  }

  #locate(path: ConfigurationPath, ofKey: boolean): number {
    let node: unknown = this.#document.contents;
    let place = startOf(node) ?? 0;
    for (const key of path) {
      const child = childOf(isAlias(node) ? node.resolve(this.#document) : node, key);
      if (!child) return place;
      place = startOf(child.key) ?? startOf(child.value) ?? place;
      node = child.value;
    }
    const filled = !ofKey && isScalar(node) && node.source !== '';
    return (filled ? startOf(node) : undefined) ?? place;
  }
}

/** @throws ConfigurationError for an error of the library, such as too many nested aliases or too deep nesting */
function parse<Result>(name: string, work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    const isDeep = cause instanceof RangeError;
    const why = isDeep ? TOO_DEEP : `it cannot be read: ${oneLine(wrongOf(cause))}`;
    throw new ConfigurationError([`${name}:1:1 ${why}`], { cause });
  }
}

function wrongOf(error: unknown): string {
  if (error instanceof ReferenceError) return 'its aliases expand to too many values; use fewer aliases';
  return messageOf(error);
}

function childOf(node: unknown, key: string | number): { key: unknown; value: unknown } | undefined {
  if (isMap(node)) {
    const pair = node.items.find((item) => keyOf(item.key) === String(key));
    return pair && { key: pair.key, value: pair.value };
  }
  if (isSeq(node) && typeof key === 'number' && key < node.items.length) {
    return { key: undefined, value: node.items[key] };
  }
  return undefined;
}

function keyOf(key: unknown): string {
  return isScalar(key) ? String(key.value) : String(key);
}

function startOf(node: unknown): number | undefined {
  return isNodeWithRange(node) ? node.range[0] : undefined;
}

function isNodeWithRange(node: unknown): node is Node & { range: [number, number, number] } {
  return typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range);
}

function oneLine(message: string): string {
  return message.replace(/\s*\n\s*/g, ' ');
}
