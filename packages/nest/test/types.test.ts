import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { OnDomainEvent, PregonModule, type PregonPublisher } from '@pregon/nest';
import type { SqliteDatabase } from '@pregon/outbox';
import type { PoolClient } from 'pg';
import type { PregonEvent } from 'pregon';
import type { EntityManager, QueryRunner } from 'typeorm';
import { describe, expect, expectTypeOf, it } from 'vitest';

const DIST = fileURLToPath(new URL('../dist/', import.meta.url));

describe('the types of the package', () => {
  it('contain no any', () => {
    const declarations = readdirSync(DIST).filter((name) => name.endsWith('.d.ts'));
    const code = declarations.map((name) => readFileSync(DIST + name, 'utf8').replaceAll(/\/\*.*?\*\/|\/\/.*$/gms, ''));
    expect(declarations).toContain('index.d.ts');
    expect(code.filter((text) => /\bany\b/.test(text))).toEqual([]);
  });

  it('give the type of an added event, as a promise or not, depending on the driver', () => {
    const event = { exchange: 'x', topic: 't', type: 'T', data: { id: 1 } };
    const added = (publisher: PregonPublisher, sqlite: SqliteDatabase) => publisher.add(sqlite, event);
    expectTypeOf(added).returns.toEqualTypeOf<PregonEvent<{ id: number }>>();
    const adding = (publisher: PregonPublisher, tx: PoolClient | EntityManager | QueryRunner) =>
      publisher.add(tx, event);
    expectTypeOf(adding).returns.toEqualTypeOf<Promise<PregonEvent<{ id: number }>>>();
  });

  it('infer the dependencies of a factory, and refuse to decorate a method that takes no event', () => {
    PregonModule.forRootAsync({
      useFactory: (path: string) => ({ log: 'sqlite:x.db', routes: { events: { path } } }),
    });
    // @ts-expect-error a route must have a path
    PregonModule.forRoot({ log: 'sqlite:x.db', routes: { events: {} } });
    const takesNumber: TypedPropertyDescriptor<(count: number) => void> = {};
    // @ts-expect-error the method is called with an event
    OnDomainEvent('T')({}, 'count', takesNumber);
    const takesEvent: TypedPropertyDescriptor<(event: PregonEvent<{ id: number }>) => Promise<void>> = {};
    OnDomainEvent('T')({}, 'handle', takesEvent);
    expect(() => OnDomainEvent()).toThrow(/needs at least one event type/);
  });
});
