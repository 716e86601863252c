import type { LogOptions } from '../../core/ports/log.js';
import type { LogSubject } from './log-kind.js';

/** Opens a log that is gone after the test. */
export type Open = (options?: LogOptions) => Promise<Required<LogSubject>>;

/** With an error for what the kind says that it can do, and cannot. */
export function completed(subject: LogSubject): Required<LogSubject> {
  const absent = (name: string) => () =>
    Promise.reject(new Error(`the capabilities say that the log has ${name}(), and the subject has none`));
  return {
    log: subject.log,
    another: (options) => (subject.another ?? absent('another'))(options),
    reopen: () => (subject.reopen ?? absent('reopen'))(),
    trim: (count) => (subject.trim ?? absent('trim'))(count),
    replace: () => (subject.replace ?? absent('replace'))(),
    dispose: () => subject.dispose(),
  };
}
