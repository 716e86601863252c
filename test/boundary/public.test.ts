import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

/**
 * The files that declare the types of each package, as users see them. A file that is added here becomes public for
 * good.
 */
const DECLARED_IN: Readonly<Record<string, readonly string[]>> = {
  server: [
    'access/addresses/client-address-options.d.ts',
    'access/limits/client-limit-options.d.ts',
    'access/rules/rule.d.ts',
    'access/tokens/issuer-options.d.ts',
    'core/connections/connection.d.ts',
    'core/connections/connections.d.ts',
    'core/counters/counters.d.ts',
    'core/log-types.d.ts',
    'core/ports/admission.d.ts',
    'core/ports/delivery.d.ts',
    'core/ports/ephemeral.d.ts',
    'core/ports/kept.d.ts',
    'core/ports/link.d.ts',
    'core/ports/log-driver.d.ts',
    'core/ports/log-entry.d.ts',
    'core/ports/log.d.ts',
    'core/ports/observer.d.ts',
    'core/ports/positions.d.ts',
    'core/ports/retention.d.ts',
    'core/ports/rights.d.ts',
    'core/ports/stored-entry.d.ts',
    'core/ports/transport.d.ts',
    'core/ports/work-queue.d.ts',
    'core/routes/authorize.d.ts',
    'core/routes/handlers.d.ts',
    'core/routes/route.d.ts',
    'core/snapshots/snapshot.d.ts',
    'gateway/attach-gateway.d.ts',
    'gateway/component-server.d.ts',
    'gateway/create-gateway.d.ts',
    'gateway/gateway.d.ts',
    'gateway/options.d.ts',
    'gateway/server/attachable-server.d.ts',
    'index.d.ts',
    'logs/open.d.ts',
    'logs/secrets/position-codec.d.ts',
    'logs/shared/retention.d.ts',
    'logs/sqlite/sqlite-log.d.ts',
    'transports/component/component-connection.d.ts',
    'transports/component/message-component.d.ts',
    'transports/component/mount-options.d.ts',
    'transports/socketio/socketio-options.d.ts',
    'transports/socketio/socketio-transport.d.ts',
    'transports/socketio/socketio-types.d.ts',
    'transports/sse/sse-transport.d.ts',
    'transports/websocket/websocket-transport.d.ts',
  ],
  outbox: [
    'event.d.ts',
    'index.d.ts',
    'options.d.ts',
    'postgres/drivers/shapes.d.ts',
    'postgres/drivers/typeorm.d.ts',
    'postgres/outbox.d.ts',
    'relay.d.ts',
    'snapshot.d.ts',
    'sql.d.ts',
    'sqlite/database.d.ts',
    'sqlite/outbox.d.ts',
    'stuck.d.ts',
  ],
  nest: [
    'index.d.ts',
    'on-domain-event.d.ts',
    'open-outbox.d.ts',
    'options.d.ts',
    'pregon-io-adapter.d.ts',
    'pregon-module.d.ts',
    'pregon-publisher.d.ts',
    'tokens.d.ts',
  ],
};

/** Types in such a file that stand beside public ones, but in no public signature. */
const NOT_PUBLIC: Readonly<Record<string, readonly string[]>> = {
  server: ['AesPositionCodec', 'ChunkedSnapshot', 'SnapshotSource'],
  outbox: ['EncodeOptions', 'EncodedEvent'],
  nest: ['DomainEventMethod', 'OpenOutbox', 'RunningRelay'],
};

/** The entry points of a package; a package without one of these files has one entry less. */
const ENTRIES = ['index.d.ts', 'event-source.d.ts', 'log.d.ts', 'testing.d.ts', 'transport.d.ts'];

/** Both `pregon/log` and the index name these types. */
const SHARED_NAMES = 'core/log-types.d.ts';

/** The further files that declare the types of `pregon/log` and `pregon/testing`. */
const DECLARED_BY_ENTRY: Readonly<Record<string, readonly string[]>> = {
  'log.d.ts': [
    'log.d.ts',
    'logs/shared/decode-stored.d.ts',
    'logs/shared/encode.d.ts',
    'logs/shared/follower.d.ts',
    'logs/shared/found.d.ts',
    'logs/shared/indexed/indexed-log.d.ts',
    'logs/shared/indexed/kept-set.d.ts',
    'logs/shared/indexed/new-events.d.ts',
    'logs/shared/kept-values.d.ts',
    'logs/shared/kept-view.d.ts',
    'logs/shared/range.d.ts',
    'logs/shared/same-event.d.ts',
    'logs/shared/unavailable.d.ts',
  ],
  'testing.d.ts': [
    'logs/memory/memory-log.d.ts',
    'testing.d.ts',
    'testing/admission/describe-admission.d.ts',
    'testing/ephemeral/describe-ephemeral.d.ts',
    'testing/ephemeral/ephemeral-kind.d.ts',
    'testing/log/describe-log.d.ts',
    'testing/log/log-kind.d.ts',
    'testing/observer/describe-observer.d.ts',
    'testing/runner.d.ts',
    'testing/transport/describe-transport.d.ts',
    'testing/transport/transport-kind.d.ts',
  ],
  'transport.d.ts': ['transport.d.ts'],
};

it.each(Object.keys(DECLARED_BY_ENTRY))(
  'The types of packages/server/dist/%s are declared in only a few further files',
  (entry) => {
    const dist = join(root, 'packages/server/dist');
    const files = reachableFrom(join(dist, entry)).map((file) => relative(dist, file));
    const known = DECLARED_IN['server'] ?? [];
    expect(files.filter((file) => !known.includes(file)).sort()).toEqual(DECLARED_BY_ENTRY[entry]);
  },
);

describe.each(Object.keys(DECLARED_IN))('The types of packages/%s', (name) => {
  const dist = join(root, 'packages', name, 'dist');

  it('are declared in a few files, and in no file of the engine', () => {
    const files = reachableFrom(join(dist, 'index.d.ts')).map((file) => relative(dist, file));
    expect(files.sort()).toEqual(DECLARED_IN[name]);
  });

  it('can all be imported by name if a signature contains them', () => {
    const entries = ENTRIES.map((file) => join(dist, file)).filter((file) => existsSync(file));
    const lists = [...entries, join(dist, SHARED_NAMES)].filter((file) => existsSync(file));
    const index = lists.map((file) => readFileSync(file, 'utf8')).join('\n');
    const unnamed = [...new Set(entries.flatMap((entry) => reachableFrom(entry)))]
      .flatMap((file) => [
        ...readFileSync(file, 'utf8').matchAll(/^export (?:declare )?(?:interface|type|class) (\w+)/gm),
      ])
      .map(([, type = '']) => type)
      .filter((type) => !new RegExp(`\\b${type}\\b`).test(index))
      .sort();
    expect(unnamed).toEqual(NOT_PUBLIC[name]);
  });
});

function reachableFrom(file: string, found = new Set<string>()): string[] {
  if (!found.has(file) && existsSync(file)) {
    found.add(file);
    for (const [, from = ''] of readFileSync(file, 'utf8').matchAll(/(?:from|import\()\s*['"](\.[^'"]+)['"]/g)) {
      reachableFrom(resolve(dirname(file), from.replace(/\.js$/, '.d.ts')), found);
    }
  }
  return [...found];
}
