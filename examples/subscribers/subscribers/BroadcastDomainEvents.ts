import type { HandlerContext, Subscriber } from 'pregon';

/** Sends events of teams to the route `teams`, as messages of its own form. */
export default ({ connections }: HandlerContext): Subscriber => {
  const teams = connections('teams');
  return {
    events: ['TeamWasCreated', 'TeamWasJoined'],
    // Each gateway has its own subscriber, so each sends only to its own connections.
    handle: ({ type, data }) => teams.broadcast({ [type]: data }, { local: true }),
  };
};
