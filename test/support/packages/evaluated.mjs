// Says as JSON which modules are evaluated by an import, and by a program that goes on from there:
// evaluated.mjs <name of a module> [body of an async function of what it exports]
import { Session } from 'node:inspector';

const [name, body = ''] = process.argv.slice(2);
const session = new Session();
const urls = [];
session.connect();
session.on('Debugger.scriptParsed', ({ params: { url } }) => {
  // CommonJS is named by its path.
  if (url.startsWith('file://') || url.startsWith('/')) urls.push(url.replace('file://', ''));
});
session.post('Debugger.enable');
urls.length = 0;
const exported = await import(name);
const imported = urls.splice(0);
const AsyncFunction = (async () => {}).constructor;
await new AsyncFunction('exported', body)(exported);
session.disconnect();
process.stdout.write(JSON.stringify({ imported, later: urls }), () => process.exit());
