import type { NewEvent } from '@pregon/protocol';
import { EXCHANGE } from '../names.js';
import type { User } from './schema.js';

/** What can happen to a user; each event carries the whole user, so that nobody needs to ask for more. */
export const userWasCreated = (user: User): NewEvent<User> => userEvent('UserWasCreated', 'created', user);
export const userWasUpdated = (user: User): NewEvent<User> => userEvent('UserWasUpdated', 'updated', user);
/** Carries the user as it was last. */
export const userWasDeleted = (user: User): NewEvent<User> => userEvent('UserWasDeleted', 'deleted', user);

function userEvent(type: string, verb: string, user: User): NewEvent<User> {
  return { exchange: EXCHANGE, topic: `user.${user.id}.${verb}`, type, subject: `user/${user.id}`, data: user };
}
