// Runs before each example, in its folder. If a module is missing, it prints one line with the solution instead of a
// stack trace.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const manifest = resolve('package.json');
const { dependencies = {}, scripts } = JSON.parse(readFileSync(manifest, 'utf8'));
const require = createRequire(manifest);

/** The packages that are not installed or not built, and the program itself if it is not built. */
const missing = [...Object.keys(dependencies), ...(/^node (\S+)/.exec(scripts.start)?.slice(1) ?? [])].filter(
  (name) => {
    if (existsSync(resolve(name))) return false;
    try {
      require.resolve(name);
      return false;
    } catch {
      return true;
    }
  },
);

if (missing.length > 0) {
  console.error(`${missing[0]} is missing: run "npm ci && npm run build" at the root of the repository first`);
  process.exit(1);
}
