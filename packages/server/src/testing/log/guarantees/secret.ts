import { expect } from '../../assertions/expect.js';
import type { TestRunner } from '../../runner.js';
import type { TestedCapabilities } from '../log-kind.js';
import type { Open } from '../open.js';

/** The random secret of a log, which all processes that open it share. */
export function describeSecret({ describe, it }: TestRunner, open: Open, { another }: TestedCapabilities): void {
  describe('secret', () => {
    it('[fault B3] is 32 random bytes, the same at each call, and different from that of any other log', async () => {
      const [one, other] = [await open(), await open()];
      const secret = await one.log.secret();
      expect(secret).toHaveLength(32);
      expect(Buffer.from(await one.log.secret())).toEqual(Buffer.from(secret));
      expect(Buffer.from(await other.log.secret())).not.toEqual(Buffer.from(secret));
    });

    it('is not available after the log is closed', async () => {
      const { log } = await open();
      await log.close();
      await expect((async () => log.secret())()).rejects.toMatchObject({ code: 'LOG_CLOSED' });
    });

    if (!another) return;
    it('[fault B3] is the same for all handles that open a new log at the same time', async () => {
      const { log, another: openAnother } = await open();
      const handles = [log, ...(await Promise.all(Array.from({ length: 4 }, () => openAnother())))];
      const secrets = await Promise.all(handles.map((handle) => handle.secret()));
      expect(new Set(secrets.map((secret) => Buffer.from(secret).toString('hex'))).size).toBe(1);
      const later = await openAnother();
      expect(Buffer.from(await later.secret())).toEqual(Buffer.from(secrets[0] ?? []));
    });
  });
}
