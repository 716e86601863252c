import { type Configuration, loadConfiguration } from '../config/configuration.js';
import type { FlagDescription, Invocation } from './command.js';

/** Where the log is, where nothing says so. */
export const DEFAULT_LOG = 'sqlite:data/pregon.db';

/** The flags of every command that opens the log. */
export const LOG_FLAGS = {
  log: {
    kind: 'text',
    value: 'URL',
    description: `where the log is: sqlite:PATH or amqp://USER:PASSWORD@HOST/VHOST?stream=NAME; else PREGON_LOG, else the configuration's, else ${DEFAULT_LOG}`,
  },
  config: {
    kind: 'text',
    value: 'FILE',
    description: 'the configuration; pregon.yml in this folder if there is one',
  },
} as const satisfies Record<string, FlagDescription>;

/** @throws PregonError CONFIG_INVALID */
export function readConfiguration({ flags, settings }: Invocation): Configuration {
  return loadConfiguration({ file: flags.text('config'), cwd: process.cwd(), variables: settings.variables });
}

/**
 * The address of the log: flag, then environment, then configuration, then default. A configuration that cannot change the answer is
 * not read, unless one is named: a command that needs the log alone then works with variables of the gateway unset.
 *
 * @throws PregonError CONFIG_INVALID
 */
export function findLog(invocation: Invocation): string {
  const { flags, settings } = invocation;
  const named = flags.text('log') ?? settings.log;
  if (named !== undefined && !flags.has('config')) return named;
  return chooseLog(invocation, readConfiguration(invocation));
}

export function chooseLog({ flags, settings }: Invocation, configuration: Configuration): string {
  return flags.text('log') ?? settings.log ?? configuration.log ?? DEFAULT_LOG;
}
