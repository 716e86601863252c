import type { HandlerContext, RouteHandlers } from 'pregon';
import { ROUTE } from '../names.js';

/** What the gateway reports about its process, for the line at the top of the page. */
export interface GatewayProcess {
  /** The process id. */
  readonly pid: number;
  /** How many clients are connected to the route, this page included. */
  readonly connections: number;
}

/** Answers the message `process` of a page. The file is named in pregon.yml, so the `pregon` command loads it. */
export default function processHandlers({ connections }: HandlerContext): RouteHandlers {
  return {
    messages: {
      process: (): GatewayProcess => ({ pid: process.pid, connections: connections(ROUTE.name).count }),
    },
  };
}
