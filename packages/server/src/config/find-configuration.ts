import { type Configuration, isConfigured, type LoadOptions, NO_CONFIGURATION } from './configuration.js';

/**
 * Reads the configuration, if there is one. The modules for this take 0.1 s to load, so they are loaded only on demand.
 *
 * @throws PregonError CONFIG_INVALID
 */
export async function findConfiguration(options: LoadOptions): Promise<Configuration> {
  if (!isConfigured(options)) return NO_CONFIGURATION;
  const { loadConfiguration } = await import('./load-configuration.js');
  return loadConfiguration(options);
}
