import { PregonError } from '@pregon/protocol';
import type { Configuration } from '../../config/configuration.js';
import { BESIDE_AUTH } from '../../gateway/access/access-mode.js';
import type { Invocation } from '../command.js';

/** Who may connect without a token, and which pages, from flags, environment and configuration combined. */
export interface AccessPlan {
  readonly access: 'public' | undefined;
  readonly allowedOrigins: readonly string[] | undefined;
  readonly allowNullOrigin: boolean;
}

/** @throws PregonError CONFIG_INVALID if the environment has no valid value, or `access` is set beside `auth` */
export function planAccess({ flags, settings }: Invocation, configuration: Configuration): AccessPlan {
  const access = flags.has('access') ? 'public' : (accessIn(settings.access) ?? configuration.access);
  if (access !== undefined && configuration.auth !== undefined) {
    const where = flags.has('access') ? '--access' : settings.access === undefined ? 'access' : 'PREGON_ACCESS';
    throw new PregonError(
      'CONFIG_INVALID',
      `${where} cannot be set beside auth in ${configuration.file}: ${BESIDE_AUTH}`,
    );
  }
  return {
    access,
    allowedOrigins: flags.has('allowed-origin') ? flags.list('allowed-origin') : configuration.allowedOrigins,
    allowNullOrigin: flags.has('allow-null-origin') || configuration.allowNullOrigin === true,
  };
}

function accessIn(variable: string | undefined): 'public' | undefined {
  if (variable === undefined || variable === 'public') return variable;
  const message = `PREGON_ACCESS must be "public", not ${JSON.stringify(variable)}; unset it if not every client may connect`;
  throw new PregonError('CONFIG_INVALID', message);
}
