import type { PregonEvent } from 'pregon';
import type { Funko } from './funko.js';

export type ChangeType = 'CREATE' | 'UPDATE' | 'DELETE';

export const FUNKO_EVENTS: Readonly<Record<ChangeType, string>> = {
  CREATE: 'FunkoWasCreated',
  UPDATE: 'FunkoWasUpdated',
  DELETE: 'FunkoWasDeleted',
};

/** The notification of a change for clients. */
export interface Notification {
  readonly entity: 'FUNKOS';
  readonly type: ChangeType;
  readonly data: Funko | undefined;
  /** The time of the event, as ISO 8601. */
  readonly createdAt: string | undefined;
}

export function notificationOf(type: ChangeType, { data, time }: PregonEvent<Funko>): Notification {
  return { entity: 'FUNKOS', type, data, createdAt: time };
}
