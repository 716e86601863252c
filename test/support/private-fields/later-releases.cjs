// Preloaded by a gateway process: ws, Engine.IO and Socket.IO as a later release may be, with each private field that Pregon looks
// at under another name. Writes the names that it has replaced to the file PREGON_TEST_RENAMED, a line each.
const { appendFileSync } = require('node:fs');
const Module = require('node:module');

const WORD = (name) => new RegExp(`\\b${name}\\b`, 'g');
const OF_THIS = (name) => new RegExp(`(?<=\\bthis\\.)${name}\\b`, 'g');

/** By folder or file of node_modules: the fields, and how a use of one is recognized. */
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
