import type { PregonEvent } from 'pregon';
import type { Funko } from './funko.js';

export type ChangeType = 'CREATE' | 'UPDATE' | 'DELETE';

export const FUNKO_EVENTS: Readonly<Record<ChangeType, string>> = {
  CREATE: 'FunkoWasCreated',
  UPDATE: 'FunkoWasUpdated',
  DELETE: 'FunkoWasDeleted',
};

/** What clients are told of a change. */
export interface Notification {
  readonly entity: 'FUNKOS';
  readonly type: ChangeType;
  readonly data: Funko | undefined;
  /** ISO 8601. */
  readonly createdAt: string | undefined;
}

export function notificationOf(type: ChangeType, { data, time }: PregonEvent<Funko>): Notification {
  return { entity: 'FUNKOS', type, data, createdAt: time };
}
