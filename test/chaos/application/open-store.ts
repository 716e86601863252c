import type { Death } from './death.js';
import { PostgresStore } from './postgres-store.js';
import { SqliteStore } from './sqlite-store.js';
import type { Store } from './store.js';

/** @param url `sqlite:PATH` or `postgres://…` */
export function openStore(url: string, death: Death, report: (error: unknown) => void): Store {
  const file = /^sqlite:(.+)$/s.exec(url)?.[1];
  return file === undefined ? new PostgresStore(url, death, report) : new SqliteStore(file, death);
}
