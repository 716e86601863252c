import { describe, expect, it } from 'vitest';
import { eventually } from '../../../test/support/waiting.js';
import { type Apps, gatewayOptions, running } from './support/apps.js';

/** Tests of methods that are called for events. */
export function domainEventsSuite(apps: () => Apps): void {
  describe('OnDomainEvent', () => {
    it('[I-1] [I-8] calls each method once for each event, in order; an error is logged and the next event follows', async () => {
      const { publisher, journal } = await running(apps(), { subscribers: true });
      const publish = (type: string, name: string) =>
        publisher.publish({ exchange: 'x', topic: 'user.changed', type, source: '/nest', data: { name } });
      for (let i = 0; i < 5; i++) await publish('UserWasCreated', `user ${i}`);
      await publish('UserWasDeleted', 'user 0');
      await publish('ProductWasCreated', 'lamp');
      const said = (who: string) => journal.filter((line) => line.startsWith(`${who}: `));
      await eventually(
        () => [said('welcome').length, said('count').length, said('audit').length],
        (counts) => counts.join() === '4,6,7',
      );
      expect(said('welcome')).toEqual([0, 2, 3, 4].map((i) => `welcome: user ${i}`));
      expect(said('count')).toEqual([
        ...[0, 1, 2, 3, 4].map((i) => `count: UserWasCreated user ${i}`),
        'count: UserWasDeleted user 0',
      ]);
      expect(said('audit').slice(-2)).toEqual(['audit: UserWasDeleted', 'audit: ProductWasCreated']);
      expect(said('error')).toEqual([expect.stringMatching(/no greeting for user 1.*Welcome.greet/)]);
    });

    it('refuses a provider of request scope, and says so', async () => {
      const booting = apps().boot({ gateway: gatewayOptions(), perRequest: true });
      await expect(booting).rejects.toThrow(/PerRequest.never belongs to a request-scoped provider/);
    });
  });
}
