// node kept-turns.mjs URL [DRIVER]: follows the kept values of a log and prints a line after each step. MS is the
// longest event loop turn since the previous line, in milliseconds of the main thread's CPU time.
//
// - "whole SIZE MS" after the first call of the follower, "told SIZE CHANGES MS" after each later one;
// - "all SIZE MS" after a line "all" on standard input;
// - "put MS" after any other line on standard input, which is put as a key.
//
// DRIVER is a module that exports `files`, a log driver.
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { openLog } from 'pregon';
import { longestTurnMs } from '../gateway/turn-probe.mjs';

const [, , url, driver] = process.argv;
const log = driver ? await (await import(driver)).files().open(url, {}) : await openLog(url);

async function say(...words) {
  // The probe measures a turn when the next one begins.
  await pause(20);
  console.log([...words, longestTurnMs().toFixed(1)].join(' '));
}

// Do not measure the start of Node.js, the opening of the log, or the connection.
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
