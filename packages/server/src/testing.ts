export { type MemoryLog, openMemoryLog } from './logs/memory/memory-log.js';
export {
  type AdmissionKind,
  describeAdmission,
  type TestedRequest,
} from './testing/admission/describe-admission.js';
export { describeEphemeral } from './testing/ephemeral/describe-ephemeral.js';
export type { EphemeralKind, EphemeralLog, EphemeralSubject } from './testing/ephemeral/ephemeral-kind.js';
export { describeLog } from './testing/log/describe-log.js';
export type { LogKind, LogSubject, TestedCapabilities } from './testing/log/log-kind.js';
export { describeObserver, type ObserverKind } from './testing/observer/describe-observer.js';
export type { TestRunner } from './testing/runner.js';
export { describeTransport } from './testing/transport/describe-transport.js';
export type {
  ClientObserver,
  ClientRequest,
  RefusedClient,
  TransportClient,
  TransportKind,
} from './testing/transport/transport-kind.js';
