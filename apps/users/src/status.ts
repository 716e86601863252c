import type { Database } from './database/database.js';

/** The answer of `GET /status`: figures of database and log that the page shows. */
export interface ApplicationStatus {
  readonly database: {
    readonly kind: string;
    /** The file or the URL, without a password. */
    readonly name: string;
    readonly users: number;
  };
  readonly log: {
    readonly kind: string;
    /** The source of the application's events. */
    readonly source: string;
    /** The sequence of the last event that is in the log; 0 before the first. */
    readonly sequence: number;
    /** How many events are committed and not in the log yet. */
    readonly pending: number;
  };
  /** The command that starts the gateway again, with the settings of this run; `***` replaces a password. */
  readonly gatewayCommand: string;
}

export interface StatusOptions {
  readonly database: Database;
  /** The URL of the log, as for `pregon --log`. */
  readonly log: string;
  readonly gatewayCommand: string;
}

/**
 * Returns a function that reads the status. Calls during a read share its result, so many pages cost as much as one.
 *
 * @throws DatabaseUnavailable (rejects) if the database does not answer for now
 */
export function statusReader({ database, log, gatewayCommand }: StatusOptions): () => Promise<ApplicationStatus> {
  const kind = /^amqps?:/i.test(log) ? 'RabbitMQ' : 'SQLite';
  const read = async (): Promise<ApplicationStatus> => {
    const { users, source, sequence, relayed } = await database.figures();
    return {
      database: { kind: database.kind, name: database.name, users },
      log: { kind, source, sequence: relayed, pending: sequence - relayed },
      gatewayCommand,
    };
  };
  let reading: Promise<ApplicationStatus> | undefined;
  return () => {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  };
}
