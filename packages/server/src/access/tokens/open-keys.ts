import type { Clock } from '../../core/time/clock.js';
import type { Fetch } from '../download.js';
import type { IssuerPlan } from './issuer-plan.js';
import { FileKeys } from './keys/file-keys.js';
import { JwksKeys } from './keys/jwks-keys.js';
import { KeySet } from './keys/key-set.js';
import { ConfiguredKeys, type KeyLogger, type KeySource } from './keys/key-source.js';
import { keysInText } from './keys/key-text.js';

/** What the keys of issuers need to be read and kept up to date. */
export interface KeyContext {
  readonly clock: Clock;
  readonly logger: KeyLogger;
  readonly fetch: Fetch;
}

/**
 * Opens the place where the keys of an issuer are.
 *
 * @throws TypeError if a key that is part of the configuration cannot be used
 * @throws PregonError CONFIG_INVALID if a key file cannot be used
 */
export async function openKeys(plan: IssuerPlan, context: KeyContext): Promise<KeySource> {
  const { at, issuer, algorithms, keys } = plan;
  if (keys.kind === 'jwks') return new JwksKeys({ issuer, url: keys.url, algorithms, ...context });
  const { form } = keys;
  if (keys.kind === 'files') return FileKeys.open({ issuer, form, paths: keys.paths, algorithms, ...context });
  try {
    return new ConfiguredKeys(new KeySet(await keysInText(form, keys.text, algorithms)));
  } catch (error) {
    throw error instanceof TypeError ? new TypeError(`${at}: ${error.message}`) : error;
  }
}
