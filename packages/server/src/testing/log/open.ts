import type { LogOptions } from '../../core/ports/log.js';
import type { LogSubject } from './log-kind.js';

/** Opens a log that is disposed of after the test. */
export type Open = (options?: LogOptions) => Promise<Required<LogSubject>>;

/** Adds the missing methods of a subject: they reject, because the capabilities of the kind promise them. */
export function completed(subject: LogSubject): Required<LogSubject> {
  const absent = (name: string) => () =>
    Promise.reject(new Error(`the capabilities promise ${name}(), but the subject does not have it: add it`));
  return {
    log: subject.log,
    another: (options) => (subject.another ?? absent('another'))(options),
    reopen: () => (subject.reopen ?? absent('reopen'))(),
    trim: (count) => (subject.trim ?? absent('trim'))(count),
    replace: () => (subject.replace ?? absent('replace'))(),
    dispose: () => subject.dispose(),
  };
}
