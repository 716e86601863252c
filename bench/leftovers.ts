type Remove = () => Promise<void>;

const leftovers = new Set<Remove>();

/**
 * Notes what would outlive the run in a service that is not its own, so that a signal does not leave it there.
 *
 * @returns what removes it, to be called when it is no longer used
 */
export function leftover(remove: Remove): Remove {
  leftovers.add(remove);
  return async () => {
    if (leftovers.delete(remove)) await remove();
  };
}

/** For a signal. What cannot be removed is said, and does not keep the rest from it. */
export async function removeLeftovers(): Promise<void> {
  const removed = await Promise.allSettled([...leftovers].map((remove) => remove()));
  leftovers.clear();
  for (const one of removed) if (one.status === 'rejected') console.error(one.reason);
}
