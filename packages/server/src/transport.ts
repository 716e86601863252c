export type { Connection, ConnectionRequest, TransportName } from './core/connections/connection.js';
export type { DeliveredEvent, EventChunk, Format, OutgoingMessage } from './core/ports/delivery.js';
export type { ControlFrame, Link, Sink } from './core/ports/link.js';
export type {
  Admitted,
  Kernel,
  OwnPath,
  Query,
  Refusal,
  Session,
  Transport,
  TransportEntrance,
} from './core/ports/transport.js';
export type { Route } from './core/routes/route.js';
export { socketIo } from './transports/socketio/socketio-transport.js';
export { sse } from './transports/sse/sse-transport.js';
export { websocket } from './transports/websocket/websocket-transport.js';
