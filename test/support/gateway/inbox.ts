export { Inbox } from '../../../packages/server/src/testing/inbox.js';

const DEADLINE_MS = 100_000;

/** Rejects if a promise does not settle in time. */
export function within<T>(promise: Promise<T>, what: string, deadlineMs: number = DEADLINE_MS): Promise<T> {
  const { stack } = new Error(`waited ${deadlineMs} ms in vain for ${what}`);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(stack)), deadlineMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
