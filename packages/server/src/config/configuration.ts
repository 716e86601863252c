import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { GatewayLimits, GatewayOptions, RouteOptions } from '../gateway/options.js';
import type { Variables } from './expand.js';

/** A file that the configuration names, and where it does so, for errors that show up when it is loaded. */
export interface FileReference {
  /** Absolute. */
  readonly file: string;
  /** `pregon.yml:9:20 websocket.routes.events.handlers[0]` */
  readonly where: string;
}

export interface RouteConfiguration extends Omit<RouteOptions, 'handlers'> {
  readonly handlerFiles: readonly FileReference[];
}

/** A configuration file, read and found right. File names in it are absolute. */
export interface Configuration {
  /** How to show the file to people; undefined where there is none. */
  readonly file: string | undefined;
  readonly log?: string;
  readonly exchanges?: readonly string[];
  readonly secret?: string;
  /** How many processes serve the port. */
  readonly workers?: number;
  /** Options of the server of Socket.IO, which knows them; false for none. */
  readonly socketIo?: GatewayOptions['socketIo'];
  readonly routes: Readonly<Record<string, RouteConfiguration>>;
  readonly allowedOrigins?: readonly string[];
  readonly limits: GatewayLimits;
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly subscriberFiles: readonly FileReference[];
  /** Kinds of logs beside those that are built in. */
  readonly logDriverFiles?: readonly FileReference[];
  readonly http?: { readonly port: number; readonly host?: string; readonly token?: string };
  /** `maxAgeMs` in milliseconds, `maxBytes` in bytes. */
  readonly retention?: { readonly maxCount?: number; readonly maxAgeMs?: number; readonly maxBytes?: number };
}

/** The file that is read where none is named. */
export const DEFAULT_CONFIGURATION_FILE = 'pregon.yml';

export interface LoadOptions {
  /** The file, or undefined for `pregon.yml`, which need not exist. */
  readonly file: string | undefined;
  /** The folder that `file` is relative to. */
  readonly cwd: string;
  readonly variables: Variables;
}

/** What holds where there is no file. */
export const NO_CONFIGURATION: Configuration = {
  file: undefined,
  routes: {},
  limits: {},
  subscriberFiles: [],
};

/** Whether a file was named, or is there without being named. */
export function isConfigured({ file, cwd }: LoadOptions): boolean {
  return file !== undefined || existsSync(resolve(cwd, DEFAULT_CONFIGURATION_FILE));
}
