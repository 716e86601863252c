// Prints as JSON which modules an import evaluates, and which the program after it evaluates: evaluated.mjs <name of a
// module> [body of an async function with its exports]
import { Session } from 'node:inspector';

const [name, body = ''] = process.argv.slice(2);
const session = new Session();
const urls = [];
session.connect();
session.on('Debugger.scriptParsed', ({ params: { url } }) => {
  // CommonJS modules are recorded by their path.
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
