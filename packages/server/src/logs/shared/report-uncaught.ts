/**
 * Calls code outside the log. If it throws, the error becomes an uncaught error, as in a direct call, and the log
 * continues.
 */
export function reportUncaught(work: () => void): void {
  try {
    work();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
