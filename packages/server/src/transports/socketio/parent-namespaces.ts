import type { Namespace, Server } from 'socket.io';

/**
 * Calls `guard` with each parent namespace as soon as the application defines it: `io.of(/^\/room-/)`. A child namespace
 * inherits the middlewares of its parent, so a middleware runs there before those of the application only if it was the
 * first one of the parent.
 *
 * @see https://socket.io/docs/v4/namespaces/#dynamic-namespaces
 */
export function watchParents(io: Pick<Server, 'of'>, guard: (parent: Pick<Namespace, 'use'>) => void): void {
  const of = io.of.bind(io);
  Reflect.set(io, 'of', (...args: Parameters<typeof of>) => {
    const namespace = of(...args);
    // Each such call makes another parent.
    if (typeof args[0] !== 'string') guard(namespace);
    return namespace;
  });
}
