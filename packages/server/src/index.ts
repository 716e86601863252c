export {
  type BlockTarget,
  type NewEvent,
  PregonError,
  type PregonEvent,
  type RevocationTarget,
  type RevokedSubject,
} from '@pregon/protocol';
export type { ClientAddressOptions, ProxyHeader } from './access/addresses/client-address-options.js';
export type { ClientLimitOptions } from './access/limits/client-limit-options.js';
export type { ClaimValue, Rule } from './access/rules/rule.js';
export type { IssuerOptions, TokenOptions } from './access/tokens/issuer-options.js';
export type { Connection, ConnectionRequest, ShownConnection, TransportName } from './core/connections/connection.js';
export type { BroadcastOptions, Connections } from './core/connections/connections.js';
export type {
  CounterSource,
  DeliveryCounters,
  GatewayCounters,
  LogCounters,
  LogLag,
} from './core/counters/counters.js';
export type * from './core/log-types.js';
export type {
  Admission,
  AdmissionRequest,
  Allowed,
  Decision,
  EntranceAccess,
  EntranceName,
  Identity,
  Refusal,
  Verify,
} from './core/ports/admission.js';
export type { DeliveredEvent, EventChunk } from './core/ports/delivery.js';
export type { ConnectionEnd, Delivery, LogChange, Observer, Refused } from './core/ports/observer.js';
export type { PositionCodec } from './core/ports/positions.js';
export type { PublishRight, Rights } from './core/ports/rights.js';
export type { Transport } from './core/ports/transport.js';
export type { Authorize, AuthorizeRequest } from './core/routes/authorize.js';
export type { RouteHandlers } from './core/routes/handlers.js';
export type { Route } from './core/routes/route.js';
export type {
  IdentitySnapshot,
  IdentitySnapshotRequest,
  RightsSnapshot,
  Snapshot,
  SnapshotFunction,
  SnapshotIdentity,
  SnapshotRequest,
  UrlSnapshot,
} from './core/snapshots/snapshot.js';
export { attachGateway } from './gateway/attach-gateway.js';
export {
  type ComponentServer,
  type ComponentServerOptions,
  createComponentServer,
} from './gateway/component-server.js';
export { createGateway } from './gateway/create-gateway.js';
export type { Gateway, ListenOptions } from './gateway/gateway.js';
export type {
  AuthOptions,
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
export { type OpenLogWithDrivers, openLog, type SqliteLog, type SqliteLogOptions } from './logs/open.js';
export { positionsOf } from './logs/secrets/position-codec.js';
export type { ComponentConnection, ComponentRequest } from './transports/component/component-connection.js';
export type { MessageComponent } from './transports/component/message-component.js';
export type { BlockedAddresses, MountOptions } from './transports/component/mount-options.js';
export type { SocketIoOptions } from './transports/socketio/socketio-options.js';
export { socketIo } from './transports/socketio/socketio-transport.js';
export type {
  OnlySocketIoTypes,
  SocketIo,
  SocketIoTypes,
  UnknownEvents,
} from './transports/socketio/socketio-types.js';
export { sse } from './transports/sse/sse-transport.js';
export { websocket } from './transports/websocket/websocket-transport.js';
