import type { NewEvent } from '@pregon/protocol';
import type { User } from './schema.js';

/** What can happen to a user; each event carries the whole user, so that nobody needs to ask for more. */
export interface UserEvents {
  created(user: User): NewEvent<User>;
  updated(user: User): NewEvent<User>;
  /** Carries the user as it was last. */
  deleted(user: User): NewEvent<User>;
}

/** @param exchange where they are published */
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
