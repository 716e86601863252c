import { UsageError } from './usage-error.js';

export interface FlagDescription {
  readonly kind: 'text' | 'integer' | 'switch';
  /** The placeholder for the value in help texts: `URL`. Switches have none. */
  readonly value?: string;
  /** Whether the flag may be given more than once. */
  readonly repeats?: boolean;
  /** What to do instead, if the value is a secret. Every local user can see the arguments of a process. */
  readonly secret?: (value: string) => string | undefined;
  /** The only valid values. */
  readonly choices?: readonly string[];
  readonly description: string;
}

/**
 * The flags of one command line, read by name and kind. Reading a flag that was not described is a bug: `TypeError`.
 */
export class Flags {
  readonly #descriptions: Readonly<Record<string, FlagDescription>>;
  readonly #values = new Map<string, string[]>();

  constructor(descriptions: Readonly<Record<string, FlagDescription>>) {
    this.#descriptions = descriptions;
  }

  /** @throws UsageError if the value does not fit the flag, or a flag that does not repeat is given again */
  add(name: string, value: string): void {
    const { kind, choices, repeats = false } = this.#describe(name);
    if (kind === 'integer' && !(/^\d{1,15}$/.test(value) && Number.isSafeInteger(Number(value)))) {
      throw new UsageError(`--${name} must be a whole number, not "${value}"`);
    }
    if (choices && !choices.includes(value)) {
      throw new UsageError(`--${name} must be ${choices.join(' or ')}, not "${value}"`);
    }
    if (kind !== 'switch' && value === '') throw new UsageError(`--${name} must not be empty`);
    const values = this.#values.get(name);
    if (!values) this.#values.set(name, [value]);
    else if (repeats) values.push(value);
    else if (kind !== 'switch') throw new UsageError(`--${name} may be given only once`);
  }

  text(name: string): string | undefined {
    this.#describe(name, 'text');
    return this.#values.get(name)?.[0];
  }

  /** Each value once, in the order given; empty if the flag was not given. */
  list(name: string): string[] {
    this.#describe(name, 'text');
    return [...new Set(this.#values.get(name))];
  }

  integer(name: string): number | undefined {
    this.#describe(name, 'integer');
    const value = this.#values.get(name)?.[0];
    return value === undefined ? undefined : Number(value);
  }

  has(name: string): boolean {
    this.#describe(name);
    return this.#values.has(name);
  }

  /** A warning for each flag that was given a secret. */
  *secrets(): Iterable<string> {
    for (const [name, values] of this.#values) {
      const advice = values
        .map((value) => this.#descriptions[name]?.secret?.(value))
        .find((text) => text !== undefined);
      if (advice !== undefined) yield `--${name} shows a secret to everybody on this machine; ${advice}`;
    }
  }

  #describe(name: string, kind?: FlagDescription['kind']): FlagDescription {
    const description = Object.hasOwn(this.#descriptions, name) ? this.#descriptions[name] : undefined;
    if (!description) throw new TypeError(`--${name} is not described`);
    if (kind && description.kind !== kind) throw new TypeError(`--${name} is a ${description.kind}`);
    return description;
  }
}
