import { PregonError, parseRevocation, type Revocation } from '@pregon/protocol';
import { describe, expect, it } from 'vitest';

import { eventually, type OutboxSubject } from './outbox-subject.js';

/** Revocations and blocks in the transactions of an application. */
export function describeRevocations(on: OutboxSubject): void {
  const { relayOn, startRelay, event, add, addAll } = on;
  const ada = { iss: 'shop', sub: 'ada' };
  const recorded = () =>
    on.log.events.filter(({ exchange }) => exchange === '$pregon').map(({ data }) => parseRevocation(data));
  const kinds = () => recorded().map(({ kind }) => kind);
  const keptKinds = async (): Promise<Revocation['kind'][]> =>
    [...((await on.log.kept?.all())?.values() ?? [])].map(({ value }) => parseRevocation(JSON.parse(value)).kind);

  describe('[H-06] revoke and block', () => {
    it('are recorded if the transaction commits: kept first, then appended', async () => {
      await startRelay();
      let keptAtAppend: readonly string[] = [];
      on.log.beforeAppend = async () => {
        keptAtAppend = await keptKinds();
      };
      await on.bench.transaction((tx) => tx.revoke(ada));
      await eventually(() => expect(kinds()).toEqual(['subject']));
      expect(keptAtAppend).toEqual(['subject']);
      expect(recorded()[0]).toMatchObject({ ...ada, atMs: expect.closeTo(Date.now(), -5) });
      await eventually(async () => expect(await on.bench.revocationsLeft()).toBe(0));
    });

    it('are not recorded if it rolls back', async () => {
      await startRelay();
      const rolledBack = on.bench.transaction(async (tx) => {
        await tx.revoke(ada);
        await tx.block({ ...ada, until: Date.now() + 60_000 });
        throw new Error('changed my mind');
      });
      await expect(rolledBack).rejects.toThrow('changed my mind');
      await on.bench.transaction((tx) => tx.revoke({ iss: 'shop', jti: 'another' }));
      await eventually(async () => expect([kinds(), await on.bench.revocationsLeft()]).toEqual([['token'], 0]));
    });

    it('are recorded in their order, whatever their kind', async () => {
      await on.bench.transaction(async (tx) => {
        await tx.block({ ...ada, until: Date.now() + 60_000 });
        await tx.unblock(ada);
        await tx.revoke({ iss: 'shop', jti: 'a' });
        await tx.revoke({ iss: 'shop', issuedBefore: Date.now() });
      });
      await startRelay();
      await eventually(() => expect(kinds()).toEqual(['block', 'unblock', 'token', 'issuer']));
      expect((await keptKinds()).sort()).toEqual(['issuer', 'token']);
    });

    it('are relayed before the events that wait', async () => {
      await addAll(3_000);
      let appended = 0;
      on.log.beforeAppend = async (events) => {
        appended += 1;
        if (appended === 1) await on.bench.transaction((tx) => tx.revoke(ada));
        // The relay looks for revocations every 50 ms.
        if (events[0]?.exchange !== '$pregon') await new Promise((resolve) => setTimeout(resolve, 60));
      };
      const { relay } = relayOn(on.bench, { batchSize: 100 });
      relay.start();
      await eventually(() => expect(kinds()).toEqual(['subject']));
      const place = on.log.events.findIndex(({ exchange }) => exchange === '$pregon');
      expect(place).toBeLessThan(1_000);
      await eventually(() => expect(on.log.events).toHaveLength(3_001));
    });

    it('[I-5] reach the log once, also if it fails before or after it stored them', async () => {
      await startRelay();
      on.log.failNext(new PregonError('LOG_UNAVAILABLE', 'down'));
      on.log.failNext(new PregonError('LOG_UNAVAILABLE', 'down'), 1);
      await on.bench.transaction((tx) => tx.revoke(ada));
      await eventually(async () => expect([kinds(), await on.bench.revocationsLeft()]).toEqual([['subject'], 0]));
    });

    it('that cannot be kept hold up no event, are reported once, and are recorded as soon as they can be', async () => {
      const { relay, errors } = await startRelay();
      const { kept } = on.log;
      on.log.kept = undefined;
      await on.bench.transaction((tx) => tx.revoke(ada));
      await eventually(() => expect(errors.map(({ message }) => message)).toEqual([expect.stringContaining('keep')]));
      const added = await add(1);
      await eventually(() => expect(on.log.ids).toEqual([added.id]));
      await eventually(() => expect(relay.state).toBe('retrying'));
      on.log.kept = kept;
      await eventually(() => expect(kinds()).toEqual(['subject']));
      await eventually(() => expect(relay.state).toBe('idle'));
      expect(errors).toHaveLength(1);
    });

    it('[I-8] of another program that nobody can read are reported and removed, and delay no others', async () => {
      for (const text of ['', '{}', '[]', '{"id":"1","revocation":{"kind":"all","iss":"shop","atMs":1}}']) {
        await on.bench.addRevocationRow(text);
      }
      await on.bench.transaction((tx) => tx.revoke(ada));
      const { errors } = await startRelay();
      await eventually(() => expect(kinds()).toEqual(['subject']));
      await eventually(async () => expect([await on.bench.revocationsLeft(), errors.length]).toEqual([0, 4]));
    });

    it('refuse a target that is not valid before anything is written', async () => {
      const wrong: readonly [unknown, RegExp][] = [
        [{ iss: 'shop' }, /exactly one of sub, jti and issuedBefore/],
        [{ ...ada, jit: 1 }, /no member "jit"/],
        [{ iss: 'shop', sub: 7 }, /sub must be a non-empty string/],
      ];
      for (const [target, message] of wrong) {
        const revoking = on.bench.transaction(async (tx) => Reflect.apply(tx.revoke, tx, [target]));
        await expect(revoking).rejects.toThrow(message);
      }
      await expect(on.bench.transaction((tx) => tx.block({ ...ada, until: 1 }))).rejects.toThrow(/future/);
      expect(await on.bench.revocationsLeft()).toBe(0);
    });

    it('need the table of a newer migration; without it, events are relayed as before', async () => {
      await on.bench.dropRevocations();
      const { errors } = await startRelay();
      const added = await on.bench.add(event(1));
      await eventually(() => expect(on.log.ids).toEqual([added.id]));
      await expect(on.bench.transaction((tx) => tx.revoke(ada))).rejects.toThrow(/_revoked/);
      expect(errors).toEqual([]);
      await on.bench.migrate();
      await on.bench.transaction((tx) => tx.revoke(ada));
      await eventually(() => expect(kinds()).toEqual(['subject']));
    });
  });
}
