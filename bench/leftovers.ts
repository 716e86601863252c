type Remove = () => Promise<void>;

const leftovers = new Set<Remove>();

/**
 * Registers a resource in an external service that would outlive the run, so that it is removed on a signal too.
 *
 * @returns removes the resource; must be called when it is no longer used
 */
export function leftover(remove: Remove): Remove {
  leftovers.add(remove);
  return async () => {
    if (leftovers.delete(remove)) await remove();
  };
}

/** Removes all resources on a signal. A failure is printed, and the others are still removed. */
export async function removeLeftovers(): Promise<void> {
  const removed = await Promise.allSettled([...leftovers].map((remove) => remove()));
  leftovers.clear();
  for (const one of removed) if (one.status === 'rejected') console.error(one.reason);
}
