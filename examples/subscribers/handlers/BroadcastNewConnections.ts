import type { Connection, HandlerContext, RouteHandlers } from 'pregon';

/** Tells everybody on a route, the newcomer included, that somebody has come or gone. */
export default ({ connections }: HandlerContext): RouteHandlers => {
  const tell = (what: string, { route }: Connection) =>
    connections(route).broadcast({ [what]: route, here: connections(route).count }, { local: true });
  return {
    opened: (connection) => tell('came', connection),
    closed: (connection) => tell('left', connection),
  };
};
