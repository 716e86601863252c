export { type ErrorCode, PregonError, type PregonEvent, type ResetReason, type Since } from '@pregon/protocol';
export type { BackoffOptions } from './backoff.js';
export { type Client, type ClientEvents, createClient } from './client.js';
export type { Clock } from './clock.js';
export type { ConnectionState } from './connection/connection-state.js';
export type { Connectivity, ConnectivityObserver } from './connection/connectivity.js';
export type { StateChange } from './connection/connector.js';
export type { WebSocketConstructor, WebSocketEvent, WebSocketLike } from './connection/web-socket.js';
export type { ClientOptions, GatewayUrl, Token } from './options.js';
export type { Fetch } from './reach/ask.js';
export type {
  Collection,
  CollectionObserver,
  CollectionOptions,
  CollectionState,
  JsonObject,
  Key,
  ParsedCollectionOptions,
  RowChange,
} from './rows/collection.js';
export type { SubscribeOptions, Subscription, SubscriptionState } from './subscriptions/subscription.js';
