import type { Configuration } from '../config/configuration.js';
import { findConfiguration } from '../config/find-configuration.js';
import { loadLogDriver } from '../config/modules.js';
import type { LogDriver } from '../core/ports/log-driver.js';
import { builtInDriver, driverFor } from '../logs/open.js';
import type { Invocation } from './command.js';
import type { FlagDescription } from './flags.js';

/** The address of the log if neither a flag, the environment nor the configuration gives one. */
export const DEFAULT_LOG = 'sqlite:data/pregon.db';

/** RabbitMQ's default password, `guest`, is no secret. PostgreSQL also takes a password in the query. */
export function holdsPassword(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { password, searchParams } = new URL(url);
  return (password !== '' && password !== 'guest') || searchParams.has('password');
}

/** The flags of every command that opens the log. */
export const LOG_FLAGS = {
  log: {
    kind: 'text',
    value: 'URL',
    description: `the address of the log: sqlite:PATH or amqp://USER:PASSWORD@HOST/VHOST?stream=NAME (default: PREGON_LOG, else that of the configuration, else ${DEFAULT_LOG}); ps shows a password given here, but not one in PREGON_LOG`,
    secret: (url) => (holdsPassword(url) ? 'use PREGON_LOG' : undefined),
  },
  config: {
    kind: 'text',
    value: 'FILE',
    description: 'the configuration file (default: pregon.yml in this folder, if it exists)',
  },
} as const satisfies Record<string, FlagDescription>;

/** @throws PregonError CONFIG_INVALID */
export function readConfiguration({ flags, settings }: Invocation): Promise<Configuration> {
  return findConfiguration({ file: flags.text('config'), cwd: process.cwd(), variables: settings.variables });
}

/**
 * The address of the log: from the flag, else the environment, else the configuration, else the default. A
 * configuration that cannot change the answer is not read, unless a flag names it. So a command that needs only the log
 * works even if variables that the configuration uses are not set.
 *
 * @throws PregonError CONFIG_INVALID
 */
export async function findLog(invocation: Invocation): Promise<string> {
  const { flags, settings } = invocation;
  const named = flags.text('log') ?? settings.log;
  if (named !== undefined && !flags.has('config')) return named;
  return chooseLog(invocation, await readConfiguration(invocation));
}

/**
 * The secret of the gateways, if the configuration gives one. With it, a command prints and takes the same positions as
 * the gateways. The configuration is read under the same condition as in {@link findLog}.
 *
 * @throws PregonError CONFIG_INVALID
 */
export async function findSecret(invocation: Invocation): Promise<string | undefined> {
  const { flags, settings } = invocation;
  const isNamed = (flags.text('log') ?? settings.log) !== undefined;
  return isNamed && !flags.has('config') ? undefined : (await readConfiguration(invocation)).secret;
}

export function chooseLog({ flags, settings }: Invocation, configuration: Configuration): string {
  return flags.text('log') ?? settings.log ?? configuration.log ?? DEFAULT_LOG;
}

/**
 * The driver of a log: built in, or named by the configuration. The configuration is read only if no built-in driver
 * fits.
 *
 * @throws PregonError CONFIG_INVALID if no driver knows the URL
 */
export async function findLogDriver(
  url: string,
  configuration: () => Configuration | Promise<Configuration>,
): Promise<LogDriver> {
  const builtIn = builtInDriver(url);
  if (builtIn) return builtIn;
  const { logDriverFiles = [] } = await configuration();
  return driverFor(url, await Promise.all(logDriverFiles.map(loadLogDriver)));
}
