const DEADLINE_MS = 100_000;

/** Collects items, and waits for items that have not arrived yet. */
export class Inbox<T> {
  readonly all: T[] = [];
  readonly #waiting = new Set<() => void>();

  push(item: T): void {
    this.all.push(item);
    for (const look of [...this.#waiting]) look();
  }

  /** Waits until `count` items have arrived. @returns all items */
  async count(count: number, deadlineMs?: number): Promise<T[]> {
    await this.until(() => this.all.length >= count, `${count} items`, deadlineMs);
    return this.all;
  }

  /** Waits for the first item that passes a test; it may have arrived already. */
  async first<Found extends T>(isSo: (item: T) => item is Found, deadlineMs?: number): Promise<Found> {
    let found: Found | undefined;
    await this.until(
      () => {
        found = this.all.find(isSo);
        return found !== undefined;
      },
      'an item',
      deadlineMs,
    );
    if (found === undefined) throw new Error('unreachable');
    return found;
  }

  /**
   * Waits until a condition holds. Checks it now, and each time an item arrives.
   *
   * @param what names the condition in the error
   */
  until(isSo: () => boolean, what: string, deadlineMs: number = DEADLINE_MS): Promise<void> {
    const { stack } = new Error(`timed out after ${deadlineMs} ms, waiting for ${what}`);
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!isSo()) return;
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(look);
        const seen = this.all.slice(-3).map((item) => JSON.stringify(item)?.slice(0, 300));
        reject(new Error(`${stack}\nreceived ${this.all.length} items, the last: ${seen.join('\n')}`));
      }, deadlineMs);
      this.#waiting.add(look);
      look();
    });
  }
}
