// node kept-turns.mjs URL [DRIVER]: follows what a log keeps, and says one line for each thing that it did, which ends with the longest turn of
// the event loop since the line before, in milliseconds of the main thread's CPU time: "whole SIZE MS" after the first call, "told SIZE
// CHANGES MS" after each later one. For a line "all" of standard input, "all SIZE MS"; for any other line, which it puts as a key, "put MS".
// DRIVER is a module that exports `files`, a driver of logs.
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { openLog } from 'pregon';
import { longestTurnMs } from '../gateway/turn-probe.mjs';

const [, , url, driver] = process.argv;
const log = driver ? await (await import(driver)).files().open(url, {}) : await openLog(url);

async function say(...words) {
  // The probe sees a turn when the next one begins.
  await pause(20);
  console.log([...words, longestTurnMs().toFixed(1)].join(' '));
}

// Starting Node.js, opening the log and connecting are not measured.
await log.secret();
await pause(200);
longestTurnMs();
let isFirst = true;
await log.kept.follow((state, changes) => {
  void (isFirst ? say('whole', state.size) : say('told', state.size, changes?.size ?? 'all'));
  isFirst = false;
});
for await (const line of createInterface(process.stdin)) {
  if (line === 'all') await say('all', (await log.kept.all()).size);
  else {
    await log.kept.put(line, 'v'.repeat(4_096));
    await say('put');
  }
}
await log.close();
