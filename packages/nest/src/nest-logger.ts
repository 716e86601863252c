import { Logger as NestLogger } from '@nestjs/common';
import type { Logger } from 'pregon';

/** A logger for the gateway that writes to the application's own log. */
export function nestLogger(context: string): Logger {
  const logger = new NestLogger(context);
  return {
    info: (fields, message) => logger.log(lineOf(fields, message)),
    debug: (fields, message) => logger.debug(lineOf(fields, message)),
    warn: (fields, message) => logger.warn(lineOf(fields, message)),
    error: (fields, message) => logger.error(lineOf(fields, message), errorIn(fields)?.stack),
  };
}

function lineOf(fields: object, message: string): string {
  const error = errorIn(fields);
  const details = Object.entries(fields)
    .filter(([name]) => name !== 'err')
    .map(([name, value]) => `${name}=${textOf(value)}`);
  return [error === undefined ? message : `${message}: ${error.message}`, ...details].join(' ');
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    // A value that JSON cannot represent (a cycle, a BigInt) must not lose the line.
    return '[not JSON]';
  }
}

function errorIn(fields: object): Error | undefined {
  return 'err' in fields && fields.err instanceof Error ? fields.err : undefined;
}
