import type { Log } from 'pregon';

/** Calls of a log, counted by kind. Each is a query for a log on disk, and costs more on a broker. */
export interface Asked {
  reads: number;
  /** Reads from an offset that had been read from before. */
  readAgain: number;
  checks: number;
  floors: number;
  locates: number;
}

/** Wraps a log to count its calls. */
export function countLog(log: Log): { readonly log: Log; readonly asked: Asked } {
  const asked: Asked = { reads: 0, readAgain: 0, checks: 0, floors: 0, locates: 0 };
  const ranges = new Set<number>();
  const { ephemeral, queues } = log;
  const counted: Log = {
    name: log.name,
    kept: log.kept,
    ...(ephemeral ? { ephemeral } : {}),
    ...(queues ? { queues } : {}),
    secret: () => log.secret(),
    append: (events, options) => log.append(events, options),
    head: () => log.head(),
    floor() {
      asked.floors += 1;
      return log.floor();
    },
    check(point) {
      asked.checks += 1;
      return log.check(point);
    },
    read(request) {
      asked.reads += 1;
      if (ranges.has(request.after)) asked.readAgain += 1;
      ranges.add(request.after);
      return log.read(request);
    },
    detail: (point) => log.detail(point),
    find: (request) => log.find(request),
    locate(sequence, source) {
      asked.locates += 1;
      return log.locate(sequence, source);
    },
    follow: (after, follower) => log.follow(after, follower),
    close: () => log.close(),
  };
  return { log: counted, asked };
}
