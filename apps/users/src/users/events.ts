import type { NewEvent } from '@pregon/protocol';
import type { User } from './schema.js';

/** The events of a user. Each contains the whole user, so that a subscriber needs no further request. */
export interface UserEvents {
  created(user: User): NewEvent<User>;
  updated(user: User): NewEvent<User>;
  /** Contains the last state of the user. */
  deleted(user: User): NewEvent<User>;
}

/** @param exchange the exchange that they are published to */
export function userEvents(exchange: string): UserEvents {
  const event = (type: string, verb: string, user: User): NewEvent<User> => ({
    exchange,
    topic: `user.${user.id}.${verb}`,
    type,
    subject: `user/${user.id}`,
    data: user,
  });
  return {
    created: (user) => event('UserWasCreated', 'created', user),
    updated: (user) => event('UserWasUpdated', 'updated', user),
    deleted: (user) => event('UserWasDeleted', 'deleted', user),
  };
}
