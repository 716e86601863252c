/** Calls what is not ours: a mistake there becomes an uncaught error, as if nobody were between, and does not stop us. */
export function reportUncaught(work: () => void): void {
  try {
    work();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
