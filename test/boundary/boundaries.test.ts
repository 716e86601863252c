import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, normalize, relative, resolve, sep } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

interface Import {
  readonly file: string;
  readonly from: string;
}

/** For each folder of packages/server/src, the folders that it may import besides itself. */
const SERVER_ROOMS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  'private-fields': [],
  logs: ['core'],
  transports: ['core', 'private-fields'],
  access: ['core'],
  observe: ['core'],
  gateway: ['core', 'logs', 'private-fields', 'transports', 'access', 'observe', 'settings.ts'],
  admin: ['core', 'access', 'gateway'],
  workers: ['core', 'private-fields', 'transports', 'gateway'],
  // Handler files import the package by its name, so the configuration hands them the index.
  config: ['core', 'logs', 'access', 'gateway', 'index.ts'],
  load: ['core'],
  cli: ['core', 'logs', 'access', 'gateway', 'admin', 'workers', 'config', 'load', 'settings.ts'],
  'settings.ts': [],
  'index.ts': ['core', 'logs', 'transports', 'access', 'gateway'],
  'transport.ts': ['core', 'transports'],
  'log.ts': ['core', 'logs'],
  // The published contract suites: nothing that a gateway needs imports them.
  testing: ['core', 'logs', 'gateway'],
  'testing.ts': ['logs', 'testing'],
};

/** The library of a log driver belongs to the folder of that log. */
const LOG_LIBRARIES = { libsql: 'logs/sqlite', amqplib: 'logs/rabbitmq' } as const;

/** The registry names every log folder; everything else knows a log only by its interface. */
const LOG_REGISTRY = 'packages/server/src/logs/open.ts';

/** The log in memory is there for tests, those of others too. */
const FOR_TESTS = [
  'packages/server/src/testing.ts',
  'packages/server/src/testing/observer/describe-observer.ts',
  'packages/server/src/testing/transport/test-gateway.ts',
];

/** Only one file knows a driver or protocol library, so that it can be replaced there. */
const IN_ONE_FILE = ['libsql', 'amqplib', 'jiti', 'jose', 'yaml', 'pino'];

/**
 * The folder for private parts of Node.js, ws, Engine.IO and Socket.IO.
 * @see docs/decisions/0012-private-fields.md
 */
const PRIVATE_FIELDS = 'packages/server/src/private-fields/';

/** Private names without an underscore, as they are written to look them up. */
const PRIVATE_NAMES = [
  ...['shouldUpgradeCallback', 'cleanupFn', 'closeTimeout', 'onDataRequest', 'dataReq', 'onPacket', 'onError'],
  ...['decodePacket', 'onUpgradeError', 'pid', '$decoded', 'decoder', 'parser', 'clients', 'socket', 'headers'],
];

describe('The source code', () => {
  for (const folder of packages()) {
    const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    const declared = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });

    it(`of ${folder} imports only packages that its package.json declares`, () => {
      const undeclared = importsIn(join(folder, 'src'))
        .filter(({ from }) => !from.startsWith('.') && !isBuiltin(from))
        .filter(({ from }) => !declared.includes(packageOf(from)));
      expect(undeclared).toEqual([]);
    });

    it(`of ${folder} imports each dependency that its package.json declares`, () => {
      const imported = new Set(importsIn(join(folder, 'src')).map(({ from }) => packageOf(from)));
      expect(declared.filter((name) => !imported.has(name))).toEqual([]);
    });
  }

  it('has a lock file that links the commands of the packages', () => {
    const { packages: locked } = JSON.parse(textOf('package-lock.json'));
    // `npm ci` links what the lock file says, and npm does not update that part by itself.
    const commands = (bin: Record<string, string> = {}) =>
      Object.entries(bin).map(([name, file]) => `${name}: ${normalize(file)}`);
    for (const folder of packages()) {
      const { bin } = JSON.parse(textOf(join(folder, 'package.json')));
      expect(commands(locked[folder].bin), folder).toEqual(commands(bin));
    }
  });

  it('of protocol and client imports nothing of Node.js', () => {
    const imports = [...importsIn('packages/protocol/src'), ...importsIn('packages/client/src')];
    expect(imports.filter(({ from }) => isBuiltin(from))).toEqual([]);
  });

  it('of our packages imports only these of them: client and outbox protocol, nest outbox, protocol and pregon', () => {
    const ours = (folder: string) =>
      [...new Set(importsIn(folder).map(({ from }) => from))].filter((from) => /^(pregon$|@pregon\/)/.test(from));
    expect(ours('packages/protocol/src')).toEqual([]);
    expect(ours('packages/client/src')).toEqual(['@pregon/protocol']);
    expect(ours('packages/outbox/src')).toEqual(['@pregon/protocol']);
    expect(ours('packages/nest/src').sort()).toEqual(['@pregon/outbox', '@pregon/protocol', 'pregon']);
  });

  it('of the server imports nothing upward or sideways between its folders', () => {
    const source = join(root, 'packages/server/src');
    const upward = importsIn('packages/server/src')
      .filter(({ from }) => from.startsWith('.'))
      .map(({ file, from }) => ({
        file,
        from: roomOf(relative(source, join(root, file))),
        to: roomOf(relative(source, resolve(dirname(join(root, file)), from.replace(/\.js$/, '.ts')))),
      }))
      .filter(({ from, to }) => from !== to && !SERVER_ROOMS[from]?.includes(to));
    expect(upward).toEqual([]);
  });

  it.each(packages().filter((folder) => folder.startsWith('packages/')))(
    'of %s has no import cycle, types included',
    (folder) => {
      const source = join(folder, 'src');
      const imports = new Map<string, string[]>();
      for (const { file, from } of importsIn(source).filter(({ from }) => from.startsWith('.'))) {
        const target = relative(root, resolve(root, dirname(file), from.replace(/\.js$/, '.ts')));
        imports.set(file, [...(imports.get(file) ?? []), target]);
      }
      expect(circleIn(imports)).toEqual([]);
    },
  );

  it('of a transport imports no other transport', () => {
    const folders = ['websocket', 'sse', 'socketio', 'component'];
    const sideways = importsIn('packages/server/src/transports').filter(({ file, from }) =>
      folders.some(
        (one) => file.includes(`/${one}/`) && folders.some((other) => other !== one && from.includes(`/${other}/`)),
      ),
    );
    expect(sideways).toEqual([]);
  });

  it('of the core does no I/O and reads no clock of its own', () => {
    // A port may name types of Node.js, such as a request, because types are gone at run time.
    const evaluated = filesIn('packages/server/src/core').filter((file) =>
      [...textOf(file).matchAll(/^(?:import|export) (?!type )[^;]*?from '([^']+)'/gm)].some(([, from = '']) =>
        isBuiltin(from),
      ),
    );
    expect(evaluated).toEqual([]);
    const named = importsIn('packages/server/src/core').filter(({ from }) => isBuiltin(from));
    expect(named.filter(({ file }) => !file.startsWith('packages/server/src/core/ports/'))).toEqual([]);
    const readers = filesIn('packages/server/src/core')
      .filter((file) => !file.endsWith('/time/clock.ts'))
      .filter((file) =>
        /\b(setTimeout|setImmediate|setInterval|performance\.|Date\.now|Math\.random)\b/.test(textOf(file)),
      );
    expect(readers).toEqual([]);
  });

  it.each(Object.entries(LOG_LIBRARIES))('of the server imports %s only in %s', (name, folder) => {
    const files = importsIn('packages/server/src').filter(({ from }) => packageOf(from) === name);
    expect(files.filter(({ file }) => !file.startsWith(join('packages/server/src', folder)))).toEqual([]);
  });

  it('outside the folder of a log imports it only in the registry of logs', () => {
    const logs = join(root, 'packages/server/src/logs');
    const shared = ['shared', 'secrets'];
    const foreign = importsIn('packages/server/src')
      .filter(({ from }) => from.startsWith('.'))
      .map(({ file, from }) => ({ file, from: relative(logs, resolve(dirname(join(root, file)), from)) }))
      .filter(({ from }) => from.includes(sep) && !from.startsWith('..') && !shared.includes(roomOf(from)))
      .filter(({ file, from }) => roomOf(relative(logs, join(root, file))) !== roomOf(from));
    const others = foreign.filter(({ file, from }) => !(FOR_TESTS.includes(file) && roomOf(from) === 'memory'));
    expect(others.filter(({ file }) => file !== LOG_REGISTRY)).toEqual([]);
    expect(new Set(foreign.map(({ from }) => roomOf(from)))).toEqual(new Set(['sqlite', 'rabbitmq', 'memory']));
  });

  it.each(IN_ONE_FILE)('of the server imports %s in only one file', (name) => {
    const files = new Set(
      importsIn('packages/server/src')
        .filter(({ from }) => packageOf(from) === name)
        .map(({ file }) => file),
    );
    expect([...files]).toHaveLength(1);
  });

  it('imports libraries that are loaded on use only for their types', () => {
    const evaluated = filesIn('packages/server/src').filter((file) =>
      /^(?:import|export)(?! type )[^;]*? from '(?:socket\.io[^']*|engine\.io|amqplib|jose|pg)';/m.test(textOf(file)),
    );
    expect(evaluated).toEqual([]);
    // The packages that only the command line needs.
    const needed = importsIn('packages/server/src').filter(({ from }) =>
      ['zod', 'yaml', 'jiti', 'pino'].includes(from),
    );
    const rooms = new Set(needed.map(({ file }) => roomOf(relative('packages/server/src', file))));
    expect([...rooms].sort()).toEqual(['admin', 'cli', 'config', 'workers']);
  });

  it('uses private fields of other libraries in one folder only, and a decision lists them', () => {
    const underscored = /\._[a-z]\w*|['"`](_[a-z]\w*)['"`]/gi;
    const lookedUp = /\b(?:Reflect\.\w+|fieldOf|replaceField|fitArray)\([^'\n]*'([^']+)'/g;
    const used = packages()
      .filter((folder) => folder.startsWith('packages'))
      .flatMap((folder) => filesIn(join(folder, 'src')))
      .filter((file) => !file.startsWith(PRIVATE_FIELDS))
      .flatMap((file) => {
        // Names in the outbox, such as `pid` of a database row, are not meant.
        const names = file.startsWith('packages/server/src/') ? [...textOf(file).matchAll(lookedUp)] : [];
        return [
          ...[...textOf(file).matchAll(underscored)].map(([name]) => `${file}: ${name}`),
          ...names.filter(([, name = '']) => PRIVATE_NAMES.includes(name)).map(([, name]) => `${file}: ${name}`),
        ];
      });
    expect(used).toEqual([]);
    const decision = textOf('docs/decisions/0012-private-fields.md');
    const names = filesIn(PRIVATE_FIELDS.slice(0, -1)).flatMap((file) =>
      [...textOf(file).matchAll(lookedUp), ...textOf(file).matchAll(/\.(_[a-z]\w*)/gi)].map(([, name = '']) => name),
    );
    expect(new Set(names).size).toBeGreaterThan(15);
    const known = new Set([...names].filter((name) => !decision.includes(name)));
    // Public members of a decoded packet, a message of the cluster module and a socket.
    expect([...known].filter((name) => !['type', 'key'].includes(name))).toEqual([]);
  });

  it('converts unknown errors by one function', () => {
    const byHand = /(?<![\w.])(\w+) instanceof Error \? \1\b|new Error\(String\(/;
    const exceptions = [
      'packages/protocol/src/unknown-error.ts',
      // This file describes more than errors, and its bundle has no room for a second way.
      'packages/client/src/rows/collection.ts',
    ];
    const sources = packages().flatMap((folder) => filesIn(join(folder, 'src')));
    const files = [...sources, ...filesIn('bench').filter((file) => !/\/(node_modules|dist)\//.test(file))];
    expect(files.length).toBeGreaterThan(400);
    expect(files.filter((file) => byHand.test(textOf(file)) && !exceptions.includes(file))).toEqual([]);
  });

  it('has one function for deadlines and pauses in the server, and one in the outbox', () => {
    const byHand =
      /import \{[^}]*\bsetTimeout\b[^}]*\} from 'node:timers\/promises'|Promise\.race\(\[[^\]]*(delay|pause|late|time)/i;
    const files = ['packages/server/src', 'packages/outbox/src'].flatMap((folder) => filesIn(folder));
    expect(files.filter((file) => byHand.test(textOf(file)))).toEqual([]);
  });

  it('reads process.env in one file of each package', () => {
    for (const folder of packages()) {
      const readers = filesIn(join(folder, 'src')).filter((file) => textOf(file).includes('process.env'));
      expect(readers.filter((file) => !file.endsWith('/settings.ts'))).toEqual([]);
    }
  });
});

/** The first import cycle that is found, as a list of files; empty if there is none. */
function circleIn(imports: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): readonly string[] => {
    if (path.includes(file)) return path.slice(path.indexOf(file));
    if (done.has(file)) return [];
    done.add(file);
    for (const target of imports.get(file) ?? []) {
      const circle = visit(target, [...path, file]);
      if (circle.length > 0) return circle;
    }
    return [];
  };
  for (const file of imports.keys()) {
    const circle = visit(file, []);
    if (circle.length > 0) return circle;
  }
  return [];
}

function packages(): string[] {
  return ['packages', 'apps'].flatMap((parent) =>
    readdirSync(join(root, parent))
      .map((name) => join(parent, name))
      .filter((folder) => existsSync(join(root, folder, 'package.json'))),
  );
}

function filesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));
}

function textOf(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

/** Static and dynamic imports with a literal name. */
function importsIn(folder: string): Import[] {
  return filesIn(folder).flatMap((file) =>
    [
      ...textOf(file).matchAll(/(?:^\s*(?:import|export)\s[^'"]*?from\s*|^\s*import\s*|\bimport\()['"]([^'"]+)['"]/gm),
    ].map(([, from = '']) => ({ file, from })),
  );
}

function packageOf(name: string): string {
  const [scope = '', rest] = name.split('/');
  return scope.startsWith('@') ? `${scope}/${rest}` : scope;
}

function roomOf(path: string): string {
  return path.split(sep)[0] ?? '';
}
