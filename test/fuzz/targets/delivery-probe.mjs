// Loaded into each process of a gateway under test by --import. It writes lines to <PREGON_FUZZ_PROBE>/<pid>.txt:
//   written <number> <CPU ms>   a numbered event was written to the healthy client's socket
//   turn <epoch ms> <CPU ms>    a turn of the event loop took longer than LONG_TURN_MS
//
// CPU ms is the time that the main thread has consumed since the process began, by the kernel's count (turn-probe.mjs).
// The process that appends the events reads the same count when an append resolves, so the difference is the gateway's
// own part of the delay.
import { subscribe } from 'node:diagnostics_channel';
import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';

/** Only the healthy client connects from this address. */
const HEALTHY_ADDRESS = '127.0.0.77';
const HEALTHY_EVENT = /"id":"healthy-(\d+)"/g;

const LONG_TURN_MS = 20;

if (isMainThread && process.env.PREGON_FUZZ_PROBE !== undefined) {
  const { mainThreadCpuMs, watchTurns } = await import('../../support/gateway/turn-probe.mjs');
  const file = openSync(join(process.env.PREGON_FUZZ_PROBE, `${process.pid}.txt`), 'a');
  const say = (line) => writeSync(file, `${line}\n`);

  watchTurns((ms) => {
    if (ms > LONG_TURN_MS) say(`turn ${Date.now()} ${ms.toFixed(1)}`);
  });

  subscribe('net.server.socket', ({ socket }) => {
    if (socket.remoteAddress !== HEALTHY_ADDRESS) return;
    const write = socket.write;
    socket.write = function written(chunk, ...rest) {
      for (const [, number] of Buffer.from(chunk).toString('latin1').matchAll(HEALTHY_EVENT)) {
        say(`written ${number} ${mainThreadCpuMs()}`);
      }
      return write.call(this, chunk, ...rest);
    };
  });
}
