import type { Observer } from '../core/ports/observer.js';

type Method = keyof Observer;

/**
 * Combines several observers into one. It has a method only if at least one of them has it, so that unobserved things
 * cost nothing.
 *
 * @param onBroken called once for an observer that threw; that observer is not called again
 */
export function composeObservers(
  observers: readonly Observer[],
  onBroken: (error: unknown, method: string) => void,
): Observer {
  const asked = new Set(observers);
  const broke = (observer: Observer, name: Method, error: unknown): void => {
    if (asked.delete(observer)) onBroken(error, name);
  };
  const all = <Args extends readonly unknown[]>(
    name: Method,
    call: (observer: Observer, ...args: Args) => unknown,
  ): ((...args: Args) => void) | undefined => {
    if (!observers.some((observer) => observer[name])) return undefined;
    return (...args) => {
      for (const observer of asked) {
        try {
          const given = call(observer, ...args);
          // TypeScript accepts an async method here. Its rejection must not end the process.
          if (given instanceof Promise) given.catch((error: unknown) => broke(observer, name, error));
        } catch (error) {
          broke(observer, name, error);
        }
      }
    };
  };
  return withoutAbsent({
    started: all('started', (observer, ...args: Args<'started'>) => observer.started?.(...args)),
    subscribeRefused: all('subscribeRefused', (observer, ...args: Args<'subscribeRefused'>) =>
      observer.subscribeRefused?.(...args),
    ),
    delivered: all('delivered', (observer, ...args: Args<'delivered'>) => observer.delivered?.(...args)),
    opened: all('opened', (observer, ...args: Args<'opened'>) => observer.opened?.(...args)),
    closed: all('closed', (observer, ...args: Args<'closed'>) => observer.closed?.(...args)),
    failed: all('failed', (observer, ...args: Args<'failed'>) => observer.failed?.(...args)),
    received: all('received', (observer, ...args: Args<'received'>) => observer.received?.(...args)),
    refused: all('refused', (observer, ...args: Args<'refused'>) => observer.refused?.(...args)),
    ephemeralDropped: all('ephemeralDropped', (observer, ...args: Args<'ephemeralDropped'>) =>
      observer.ephemeralDropped?.(...args),
    ),
    logChanged: all('logChanged', (observer, ...args: Args<'logChanged'>) => observer.logChanged?.(...args)),
  });
}

type Args<Name extends Method> = Parameters<NonNullable<Observer[Name]>>;

function withoutAbsent(methods: { readonly [Name in Method]: Observer[Name] | undefined }): Observer {
  return Object.fromEntries(Object.entries(methods).filter(([, method]) => method !== undefined));
}
