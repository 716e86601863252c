import { PregonError } from '@pregon/protocol';
import type { LogDriver, MaintainedLog } from '../../core/ports/log-driver.js';

/**
 * Opens a log that is there: whoever asks what a log holds, or trims it, would not learn from an empty one, made on the spot, that the
 * name is wrong.
 *
 * @throws PregonError CONFIG_INVALID | LOG_UNAVAILABLE
 */
export async function openExistingLog(url: string, { name, example, admin }: LogDriver): Promise<MaintainedLog> {
  if (!admin?.maintain) {
    const instead = admin?.bus ? '; see pregon help bus' : '';
    throw new PregonError('CONFIG_INVALID', `this command is not for logs in ${name}${instead}`);
  }
  if ((await admin.exists?.(url)) === false) {
    throw new PregonError('CONFIG_INVALID', `there is no log ${admin.show(url)}; name one with --log=${example}`);
  }
  return admin.maintain(url);
}
