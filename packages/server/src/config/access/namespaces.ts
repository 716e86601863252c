import type { EntranceAccess } from '../../core/ports/admission.js';
import { isEntranceAccess } from './access-schema.js';

interface Split {
  /** Options of Socket.IO's server; false for no such server. */
  readonly socketIo: Record<string, unknown> | false | undefined;
  readonly namespaces: Readonly<Record<string, EntranceAccess>> | undefined;
}

/** Takes `namespaces`, which the gateway needs, out of the options that Socket.IO's server gets. */
export function splitNamespaces(socketIo: Readonly<Record<string, unknown>> | false | undefined): Split {
  if (!socketIo) return { socketIo, namespaces: undefined };
  const { namespaces, ...options } = socketIo;
  if (typeof namespaces !== 'object' || namespaces === null) return { socketIo: options, namespaces: undefined };
  const entries = Object.entries(namespaces).flatMap(([name, access]: [string, unknown]) =>
    isEntranceAccess(access) ? [[name, access] as const] : [],
  );
  return { socketIo: options, namespaces: Object.fromEntries(entries) };
}
