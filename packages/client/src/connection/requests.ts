import { type ErrorFrame, PregonError, type RequestId } from '@pregon/protocol';
import type { Clock } from '../clock.js';
import { errorOfFrame } from '../gateway-error.js';

interface Request {
  readonly resolve: (data: unknown) => void;
  readonly reject: (error: PregonError) => void;
  readonly cancelTimeout: () => void;
}

/** The requests that wait for an answer. An answer after the timeout is dropped. */
export class Requests {
  readonly #clock: Clock;
  readonly #open = new Map<RequestId, Request>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Waits for the answer to a send.
   * @throws PregonError TIMEOUT | CONNECTION_LOST | the code of the gateway's answer
   */
  answer(id: RequestId, name: string, timeoutMs: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const cancelTimeout = this.#clock.after(timeoutMs, () => {
        this.#take(id)?.reject(
          new PregonError('TIMEOUT', `no answer to ${JSON.stringify(name)} within ${timeoutMs} ms`),
        );
      });
      this.#open.set(id, { resolve, reject, cancelTimeout });
    });
  }

  acknowledged(id: RequestId, data?: unknown): void {
    this.#take(id)?.resolve(data);
  }

  /** @returns whether the error answers a pending request */
  refused(id: RequestId, frame: ErrorFrame): boolean {
    const request = this.#take(id);
    request?.reject(errorOfFrame(frame));
    return request !== undefined;
  }

  lost(): void {
    for (const id of [...this.#open.keys()]) {
      this.#take(id)?.reject(new PregonError('CONNECTION_LOST', 'the connection was lost before the answer came'));
    }
  }

  #take(id: RequestId): Request | undefined {
    const request = this.#open.get(id);
    request?.cancelTimeout();
    this.#open.delete(id);
    return request;
  }
}
