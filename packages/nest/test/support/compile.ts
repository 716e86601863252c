import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const REPOSITORY = fileURLToPath(new URL('../../../../', import.meta.url));
const TSC = join(REPOSITORY, 'node_modules/typescript/bin/tsc');

/** Node resolves the modules of a version of Nest from any folder below this one. */
const PLACES = { 11: 'test/nestjs-11', 12: 'packages/nest/test' } as const;

export type NestVersion = keyof typeof PLACES;

export const NEST_VERSIONS: readonly NestVersion[] = [12, 11];

/** A folder in which TypeScript is compiled against a version of Nest and run on it, like an application. */
export class Workspace {
  readonly folder: string;

  constructor(version: NestVersion) {
    const parent = join(REPOSITORY, PLACES[version], 'dist');
    mkdirSync(parent, { recursive: true });
    this.folder = mkdtempSync(join(parent, 'suite-'));
    this.#installPackage();
    writeFileSync(join(this.folder, 'package.json'), '{ "type": "module" }');
  }

  /** Copies the package instead of linking it: Node looks for Nest from the real path of a file. */
  #installPackage(): void {
    const target = join(this.folder, 'node_modules/@pregon/nest');
    const source = join(REPOSITORY, 'packages/nest');
    mkdirSync(target, { recursive: true });
    for (const part of ['dist', 'package.json']) cpSync(join(source, part), join(target, part), { recursive: true });
  }

  /** Copies a folder of sources into the workspace. */
  add(source: string, name: string): void {
    cpSync(source, join(this.folder, name), { recursive: true });
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  /** Compiles all sources except tests; throws an error with the output of the compiler. */
  compile(): void {
    const compilerOptions = {
      target: 'es2022',
      module: 'nodenext',
      strict: true,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
      skipLibCheck: true,
      types: ['node'],
    };
    const exclude = ['node_modules', '**/*.spec.ts', '**/*.e2e-spec.ts'];
    this.write('tsconfig.json', JSON.stringify({ compilerOptions, include: ['**/*.ts'], exclude }));
    try {
      execFileSync(process.execPath, [TSC, '-p', this.folder], { stdio: 'pipe', encoding: 'utf8' });
    } catch (error) {
      throw new Error(`does not compile: ${error instanceof Error && 'stdout' in error ? error.stdout : error}`);
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The URL of a compiled file, for an import. */
  urlOf(name: string): string {
    return pathToFileURL(join(this.folder, name)).href;
  }
}
