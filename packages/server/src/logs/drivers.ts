import { PregonError } from '@pregon/protocol';
import type { LogDriver } from '../core/ports/log-driver.js';

/** Returns the driver for the scheme of a URL; undefined if no driver has the scheme. */
export function findDriver(url: string, drivers: readonly LogDriver[]): LogDriver | undefined {
  const scheme = schemeOf(url)?.toLowerCase();
  return scheme === undefined ? undefined : drivers.find(({ schemes }) => schemes.includes(scheme));
}

/**
 * Checks that no two drivers share a scheme: the choice of the driver must not depend on the order of the list.
 *
 * @throws PregonError CONFIG_INVALID if two drivers share a scheme
 */
export function assertApart(drivers: readonly LogDriver[]): void {
  const owners = new Map<string, LogDriver>();
  for (const driver of drivers) {
    for (const scheme of driver.schemes) {
      const owner = owners.get(scheme);
      if (owner !== undefined && owner !== driver) {
        const message = `the log drivers ${owner.name} and ${driver.name} both have the scheme ${scheme}: leave one of them out`;
        throw new PregonError('CONFIG_INVALID', message);
      }
      owners.set(scheme, driver);
    }
  }
}

/**
 * Makes the error for a URL that no driver can open.
 *
 * @returns CONFIG_INVALID with what to write instead; the message does not repeat a URL that may contain a password
 */
export function unknownLog(url: string, drivers: readonly LogDriver[]): PregonError {
  const scheme = schemeOf(url);
  const isSafe = !url.includes('@');
  const shown = isSafe ? JSON.stringify(url) : 'the URL of the log';
  const kind = scheme === undefined ? shown : `a log of kind ${scheme}:`;
  const advice =
    isSafe && url !== '' ? drivers.map((driver) => driver.advice?.(url)).find((text) => text !== undefined) : undefined;
  const examples = drivers.flatMap(({ example }) => example ?? []).join(' and ');
  return new PregonError('CONFIG_INVALID', `${kind} is not supported${advice ?? ''}; supported are ${examples}`);
}

function schemeOf(url: string): string | undefined {
  return /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1];
}
