// Builds the page: dist/page/index.html, and its assets in dist/page/assets. `tsc -b` must have built the server
// before.
import { cp, mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build, stop } from 'esbuild';

const from = (path) => fileURLToPath(new URL(`src/page/${path}`, import.meta.url));
const to = (path) => fileURLToPath(new URL(`dist/page/${path}`, import.meta.url));

await mkdir(to('assets'), { recursive: true });
await build({
  entryPoints: { page: from('main.ts') },
  outdir: to('assets'),
  bundle: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  sourcemap: true,
  logLevel: 'warning',
});
await build({ entryPoints: [from('page.css')], outdir: to('assets'), bundle: true, minify: true, logLevel: 'warning' });
await cp(from('index.html'), to('index.html'));
await cp(from('assets'), to('assets'), { recursive: true });
// Stop esbuild, because its child process would keep this process running.
await stop();
