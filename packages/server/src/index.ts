export { type NewEvent, PregonError, type PregonEvent } from '@pregon/protocol';
export type { Connection, ConnectionRequest } from './core/connection.js';
export type { BroadcastOptions, Connections } from './core/connections.js';
export type { Ephemeral, EphemeralMember } from './core/ephemeral.js';
export type { RouteHandlers } from './core/handlers.js';
export type { TransportName } from './core/link.js';
export type {
  Log,
  LogEntry,
  LogFollower,
  LogOptions,
  Page,
  Presence,
  ReadPage,
  ReadRequest,
  StopFollowing,
} from './core/log.js';
export type { PositionCodec } from './core/positions.js';
export type { Snapshot, SnapshotFunction } from './core/snapshots/snapshot.js';
export { attachGateway } from './gateway/attach-gateway.js';
export {
  type ComponentServer,
  type ComponentServerOptions,
  createComponentServer,
} from './gateway/component-server.js';
export { createGateway } from './gateway/create-gateway.js';
export type { Gateway, ListenOptions } from './gateway/gateway.js';
export type {
  Built,
  CompressionOptions,
  GatewayLimits,
  GatewayOptions,
  HandlerContext,
  Logger,
  RouteOptions,
  Subscriber,
} from './gateway/options.js';
export type { AttachableServer } from './gateway/server/attachable-server.js';
export type { BlockedAddresses } from './integrations/component/blocked-addresses.js';
export type { ComponentConnection, ComponentRequest } from './integrations/component/component-connection.js';
export type { MessageComponent } from './integrations/component/message-component.js';
export type { MountOptions } from './integrations/component/mount-options.js';
export { openLog } from './log/open.js';
export { positionsOf } from './log/secrets/position-codec.js';
export type { SocketIoOptions } from './transports/socketio/socketio-entrance.js';
export type {
  OnlySocketIoTypes,
  SocketIo,
  SocketIoTypes,
  UnknownEvents,
} from './transports/socketio/socketio-types.js';
