import { fieldOf, fitArray, replaceField } from './field.js';

type Found = (namespace: unknown) => void;

/**
 * Calls `refused` with the name of each namespace that a client requests and that does not exist. Socket.IO has no
 * event for that, so the method that looks up such names is wrapped.
 *
 * @returns false if the method is missing; `refused` is then never called
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
 * Replaces the private session id of a socket, with which its client can recover the session.
 *
 * @param pid undefined if the client must not have one
 * @returns false if the field is missing: the client then starts a new session each time
 */
export function replacePrivateId(socket: object, pid: string | undefined): boolean {
  return replaceField(socket, 'pid', pid);
}

/**
 * Ends a client in all its namespaces as a broken connection would: its sessions are kept.
 *
 * @returns false if the method is missing; the caller must then disconnect the client
 */
export function breakOff(client: object): boolean {
  const close = fieldOf(client, 'close');
  if (typeof close !== 'function') return false;
  Reflect.apply(close, client, []);
  return true;
}

/**
 * Frees the unused capacity of arrays that Socket.IO keeps for the whole life of a client.
 *
 * @returns the names of the arrays that were found
 */
export function fitSocket(socket: object): readonly string[] {
  const callbacks = fieldOf(fieldOf(fieldOf(socket, 'client'), 'decoder'), '_callbacks');
  const fitted = { _anyListeners: fitArray(socket, '_anyListeners'), $decoded: fitArray(callbacks, '$decoded') };
  return Object.entries(fitted).flatMap(([name, isFitted]) => (isFitted ? name : []));
}
