import type { Connection, HandlerContext, RouteHandlers } from 'pregon';

/** Tells all clients on a route, including a new one, that a client has connected or disconnected. */
export default ({ connections }: HandlerContext): RouteHandlers => {
  const tell = (what: string, { route }: Connection) =>
    connections(route).broadcast({ [what]: route, here: connections(route).count }, { local: true });
  return {
    opened: (connection) => tell('came', connection),
    closed: (connection) => tell('left', connection),
  };
};
