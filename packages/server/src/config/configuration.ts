import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ClientAddressOptions } from '../access/addresses/client-address-options.js';
import type { EntranceAccess } from '../core/ports/admission.js';
import type { AuthOptions, GatewayLimits, GatewayOptions, RouteOptions } from '../gateway/options.js';
import type { Variables } from './expand.js';

/** A file that the configuration names, and where it does so, for errors when the file is loaded. */
export interface FileReference {
  /** An absolute path. */
  readonly file: string;
  /** `pregon.yml:9:20 websocket.routes.events.handlers[0]` */
  readonly where: string;
}

export interface RouteConfiguration extends Omit<RouteOptions, 'handlers'> {
  readonly handlerFiles: readonly FileReference[];
}

/** A configuration file, read and validated. File names in it are absolute. */
export interface Configuration {
  /** The name of the file for messages; undefined if there is no file. */
  readonly file: string | undefined;
  readonly log?: string;
  readonly exchanges?: readonly string[];
  readonly secret?: string;
  /** The file with the secret that signs the requests to the URLs of snapshots. */
  readonly snapshotSecretFile?: string;
  /** How many processes serve the port. */
  readonly workers?: number;
  /** Opens everything to every client whose origin is allowed. Cannot be set beside `auth`. */
  readonly access?: 'public';
  /** How clients are known: by tokens, or by the hook of the application. With it, everything is closed that no rule opens. */
  readonly auth?: Omit<AuthOptions, 'verify' | 'authorize' | 'leewayMs'>;
  /** With `auth`: access to the namespaces of Socket.IO that are not routes; `socketIo.namespaces` in the file. */
  readonly namespaces?: Readonly<Record<string, EntranceAccess>>;
  /** Options of the Socket.IO server, which validates them; false for no such server. */
  readonly socketIo?: GatewayOptions['socketIo'];
  readonly routes: Readonly<Record<string, RouteConfiguration>>;
  readonly allowedOrigins?: readonly string[];
  /** Adds `null` to the origins whose pages may connect. */
  readonly allowNullOrigin?: boolean;
  /** The limits, and the proxies that tell which client a request counts for. */
  readonly limits: GatewayLimits & ClientAddressOptions;
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly subscriberFiles: readonly FileReference[];
  /** Log drivers in addition to the built-in ones. */
  readonly logDriverFiles?: readonly FileReference[];
  readonly http?: { readonly port: number; readonly host?: string; readonly token?: string };
  /** `maxAgeMs` in milliseconds, `maxBytes` in bytes. */
  readonly retention?: { readonly maxCount?: number; readonly maxAgeMs?: number; readonly maxBytes?: number };
}

/** The file that is read if no other is named. */
export const DEFAULT_CONFIGURATION_FILE = 'pregon.yml';

export interface LoadOptions {
  /** The file, or undefined for `pregon.yml`, which need not exist. */
  readonly file: string | undefined;
  /** The folder that `file` is relative to. */
  readonly cwd: string;
  readonly variables: Variables;
}

/** The configuration if there is no file. */
export const NO_CONFIGURATION: Configuration = {
  file: undefined,
  routes: {},
  limits: {},
  subscriberFiles: [],
};

/** Whether a file was named, or the default file exists. */
export function isConfigured({ file, cwd }: LoadOptions): boolean {
  return file !== undefined || existsSync(resolve(cwd, DEFAULT_CONFIGURATION_FILE));
}
