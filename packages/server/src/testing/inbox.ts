const DEADLINE_MS = 100_000;

/** All that has come so far, and a way to wait for what is still to come. */
export class Inbox<T> {
  readonly all: T[] = [];
  readonly #waiting = new Set<() => void>();

  push(item: T): void {
    this.all.push(item);
    for (const look of [...this.#waiting]) look();
  }

  /** Waits until so many have come, and returns all. */
  async count(count: number, deadlineMs?: number): Promise<T[]> {
    await this.until(() => this.all.length >= count, `${count} items`, deadlineMs);
    return this.all;
  }

  /** Waits for the first that is so; it may have come already. */
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

  /** Waits until it is so; looks each time that something has come. */
  until(isSo: () => boolean, what: string, deadlineMs: number = DEADLINE_MS): Promise<void> {
    const { stack } = new Error(`waited ${deadlineMs} ms in vain for ${what}`);
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
        reject(new Error(`${stack}\nhere were ${this.all.length}, the last: ${seen.join('\n')}`));
      }, deadlineMs);
      this.#waiting.add(look);
      look();
    });
  }
}
