import { type Configuration, isConfigured, type LoadOptions, NO_CONFIGURATION } from './configuration.js';

/**
 * The configuration, if there is one. What reads and checks it takes a tenth of a second to load, so it is loaded only then.
 *
 * @throws PregonError CONFIG_INVALID
 */
export async function findConfiguration(options: LoadOptions): Promise<Configuration> {
  if (!isConfigured(options)) return NO_CONFIGURATION;
  const { loadConfiguration } = await import('./load-configuration.js');
  return loadConfiguration(options);
}
