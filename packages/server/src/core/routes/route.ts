import type { Connections } from '../connections/connections.js';

/** A named entry point of a gateway. */
export interface Route {
  readonly name: string;
  /** The path where clients connect: `/events`. */
  readonly path: string;
  readonly connections: Connections;
}
