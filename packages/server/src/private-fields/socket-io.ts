import { fieldOf, fitArray, replaceField } from './field.js';

type Found = (namespace: unknown) => void;

/**
 * Calls `refused` with the name of each namespace that a client asks for and that does not exist: Socket.IO has no event for that, but
 * looks up such a name by one method, which is wrapped here.
 *
 * @returns false if there is no such method; then nothing is told
 * @see docs/decisions/0012-private-fields.md
 */
export function watchNamespaces(io: object, refused: (name: string) => void): boolean {
  const check = fieldOf(io, '_checkNamespace');
  if (typeof check !== 'function') return false;
  return replaceField(io, '_checkNamespace', (name: unknown, auth: unknown, done: Found) => {
    const found: Found = (namespace) => {
      if (!namespace) refused(String(name));
      done(namespace);
    };
    return Reflect.apply(check, io, [name, auth, found]);
  });
}

/**
 * Replaces the private session id that a socket is told, by which its client asks for its session again.
 *
 * @param pid undefined if the client is to have none
 * @returns false if there is no such field: the client then begins a new session each time
 */
export function replacePrivateId(socket: object, pid: string | undefined): boolean {
  return replaceField(socket, 'pid', pid);
}

/**
 * Ends a client, in all of its namespaces, as a connection that breaks does: their sessions are kept.
 *
 * @returns false if there is no such method; the caller then disconnects the client
 */
export function breakOff(client: object): boolean {
  const close = fieldOf(client, 'close');
  if (typeof close !== 'function') return false;
  Reflect.apply(close, client, []);
  return true;
}

/** Gives back unused places of what Socket.IO keeps for a client as long as it lives. @returns which of them were found */
export function fitSocket(socket: object): readonly string[] {
  const callbacks = fieldOf(fieldOf(fieldOf(socket, 'client'), 'decoder'), '_callbacks');
  const fitted = { _anyListeners: fitArray(socket, '_anyListeners'), $decoded: fitArray(callbacks, '$decoded') };
  return Object.entries(fitted).flatMap(([name, isFitted]) => (isFitted ? name : []));
}
