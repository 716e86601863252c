import { PregonError } from '@pregon/protocol';
import type { LogDriver, MaintainedLog } from '../../core/ports/log-driver.js';

/**
 * Opens a log that exists. A command that reads or trims a log must not create an empty one: an empty answer would hide
 * a wrong name.
 *
 * @throws PregonError CONFIG_INVALID | LOG_UNAVAILABLE
 */
export async function openExistingLog(url: string, { name, example, admin }: LogDriver): Promise<MaintainedLog> {
  if (!admin?.maintain) {
    const instead = admin?.bus ? '; see pregon help bus' : '';
    throw new PregonError('CONFIG_INVALID', `this command does not work on a log in ${name}${instead}`);
  }
  await assertLogExists(url, { admin, example });
  return admin.maintain(url);
}

/** @throws PregonError CONFIG_INVALID */
export async function assertLogExists(
  url: string,
  { admin, example }: Pick<LogDriver, 'admin' | 'example'>,
): Promise<void> {
  if ((await admin?.exists?.(url)) !== false) return;
  throw new PregonError('CONFIG_INVALID', `there is no log ${admin?.show(url)}; name one with --log=${example}`);
}
