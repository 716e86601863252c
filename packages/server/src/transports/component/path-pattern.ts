import type { Claim } from '../http/claim.js';
import { canonicalPath, hasDotSegments } from '../http/path.js';

/** A path with parameters: `/chat/:room`. Each parameter matches one whole segment that is not empty. */
export class PathPattern {
  readonly text: string;
  readonly #segments: readonly string[];

  /** @throws TypeError if the text is not a path, or a parameter is not valid or occurs twice */
  constructor(text: string) {
    if (!/^\/[^\s?#]*$/.test(text)) throw new TypeError(`${text}: a path starts with "/" and has no "?" or "#"`);
    if (hasDotSegments(text))
      throw new TypeError(`${text}: a path has no "." or ".." segment: clients resolve them, so none could request it`);
    this.text = text;
    this.#segments = text.split('/').map((segment) => (isParameter(segment) ? segment : canonicalPath(segment)));
    const names = this.#segments.filter(isParameter);
    const wrong = names.find((name, i) => !/^:[A-Za-z_]\w*$/.test(name) || names.indexOf(name) !== i);
    if (wrong !== undefined)
      throw new TypeError(`${text}: the parameter ${wrong} is not a valid name, or occurs twice`);
  }

  /** Equal for all patterns that match the same paths. */
  get shape(): string {
    return this.#segments.map((segment) => (isParameter(segment) ? ':' : segment)).join('/');
  }

  get claim(): Claim {
    const segments = this.#segments.map((segment) => (isParameter(segment) ? undefined : segment));
    return { text: this.text, segments, below: false };
  }

  /**
   * @param path in canonical form
   * @returns the decoded parameters; undefined if the path does not match
   */
  match(path: string): Readonly<Record<string, string>> | undefined {
    const segments = path.split('/');
    if (segments.length !== this.#segments.length) return undefined;
    const parameters: [string, string][] = [];
    for (const [i, expected] of this.#segments.entries()) {
      const segment = segments[i] ?? '';
      if (!isParameter(expected)) {
        if (segment !== expected) return undefined;
        continue;
      }
      const value = decode(segment);
      if (value === undefined || value === '') return undefined;
      parameters.push([expected.slice(1), value]);
    }
    return Object.fromEntries(parameters);
  }
}

function isParameter(segment: string): boolean {
  return segment.startsWith(':');
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
