export { type MemoryLog, openMemoryLog } from './logs/memory/memory-log.js';
export { describeEphemeral } from './testing/ephemeral/describe-ephemeral.js';
export type { EphemeralKind, EphemeralLog, EphemeralSubject } from './testing/ephemeral/ephemeral-kind.js';
export { describeLog } from './testing/log/describe-log.js';
export type { LogKind, LogSubject, TestedCapabilities } from './testing/log/log-kind.js';
export type { TestRunner } from './testing/runner.js';
export { describeTransport } from './testing/transport/describe-transport.js';
export type {
  ClientObserver,
  ClientRequest,
  RefusedClient,
  TransportClient,
  TransportKind,
} from './testing/transport/transport-kind.js';
