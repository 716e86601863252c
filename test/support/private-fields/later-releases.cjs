// Preloaded by a gateway process. Stands for later releases of ws, Engine.IO and Socket.IO that rename each private field
// that Pregon uses. Writes the renamed fields to the file PREGON_TEST_RENAMED, one per line.
const { appendFileSync } = require('node:fs');
const Module = require('node:module');

const WORD = (name) => new RegExp(`\\b${name}\\b`, 'g');
const OF_THIS = (name) => new RegExp(`(?<=\\bthis\\.)${name}\\b`, 'g');

/** For each folder or file of node_modules: how to find a use of a field, and the fields. */
const RENAMED = [
  [/\/(ws|engine\.io)\//, WORD, ['_socket', '_receiver', '_extensions']],
  [/\/engine\.io\//, WORD, ['cleanupFn', 'closeTimeout', 'onDataRequest', 'dataReq', 'onUpgradeError']],
  [/\/engine\.io\/build\/server\.js$/, OF_THIS, ['clients']],
  [/\/engine\.io\/build\/transports\/websocket\.js$/, OF_THIS, ['socket']],
  [/\/socket\.io\//, WORD, ['_checkNamespace', '_anyListeners']],
  [/\/socket\.io\/dist\/socket\.js$/, OF_THIS, ['pid']],
];

const compile = Module.prototype._compile;

Module.prototype._compile = function (source, file, ...rest) {
  let text = source;
  for (const [where, use, names] of file.includes('node_modules') ? RENAMED : []) {
    if (!where.test(file)) continue;
    for (const name of names) {
      const renamed = text.replaceAll(use(name), `${name}Renamed`);
      if (renamed !== text) appendFileSync(process.env.PREGON_TEST_RENAMED, `${name}\n`);
      text = renamed;
    }
  }
  return compile.call(this, text, file, ...rest);
};
