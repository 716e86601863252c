import type { HandlerContext, Subscriber } from 'pregon';

/** Tells the teams in their own words what has happened to them, and nothing else. */
export default ({ connections }: HandlerContext): Subscriber => {
  const teams = connections('teams');
  return {
    events: ['TeamWasCreated', 'TeamWasJoined'],
    // Each gateway has a subscriber of its own, so each tells its own connections.
    handle: ({ type, data }) => teams.broadcast({ [type]: data }, { local: true }),
  };
};
