import { describe, expect, it } from 'vitest';
import { Driver } from './driver.js';
import { ENTRANCES } from './entrances/index.js';
import { delaysOf } from './healthy/delays.js';
import { HealthyClient } from './healthy/healthy-client.js';
import { replay } from './replay.js';
import { describeRun, saveTranscript } from './report.js';
import { INPUTS, REPLAY, SECONDS, SEED } from './settings.js';
import { type Started, startAttached, startRun } from './targets/start.js';

/**
 * The most delay that the gateway's work for others may cause a healthy client, in milliseconds of the gateway's own
 * CPU time.
 */
const P99_MS = 50;
const WORST_MS = 150;

/** The time limit of a long run, which ends after a number of inputs. */
const LONG_MS = 3_600_000;

interface Part {
  readonly name: string;
  readonly share: number;
  readonly start: () => Promise<Started>;
}

const PARTS: readonly Part[] = [
  { name: 'a gateway', share: 0.4, start: () => startRun(1) },
  { name: 'a gateway with two workers', share: 0.3, start: () => startRun(2) },
  { name: 'an application with a gateway and components attached', share: 0.3, start: () => startAttached() },
];

describe('Random input at all entrances', () => {
  const transcript = REPLAY;
  if (transcript === undefined) {
    const longest = INPUTS === undefined ? SECONDS * 1_000 + 120_000 : LONG_MS;
    it.each(PARTS)(
      '[I-7][I-8] [fault A] ends no process and holds up no other client: $name',
      sendRandomInput,
      longest,
    );
  } else {
    it.each(PARTS)('is replayed from a transcript: $name', ({ start }) => sendAgain(transcript, start), LONG_MS);
  }
});

async function sendRandomInput({ share, start }: Part): Promise<void> {
  const { target, process } = await start();
  const before = target.pids.join();
  const healthy = await HealthyClient.start(target);
  const since = Date.now();
  const begun = performance.now();
  const goesOn = ({ inputs }: Driver) =>
    INPUTS === undefined ? performance.now() - begun < SECONDS * share * 1_000 : inputs < INPUTS * share;
  const driver = new Driver({ target, entrances: ENTRANCES, seed: SEED, goesOn });

  await driver.run();

  const seconds = (performance.now() - begun) / 1_000;
  if (target.faults.length > 0) {
    const file = saveTranscript(driver, Date.now(), SEED);
    expect.fail(`${target.faults.join('\n')}\nseed ${SEED}; replay what was sent: PREGON_FUZZ_REPLAY=${file}`);
  }
  const report = await healthy.stop();
  expect(report.faults).toEqual([]);
  const delays = delaysOf(report.appended, target.probeFolder, since);
  console.log(describeRun(target, driver, delays, seconds, SEED));
  expect(target.pids.length > 1 ? process.children.join() : String(process.pid)).toBe(before);
  expect(delays.p99).toBeLessThan(P99_MS);
  expect(delays.worst).toBeLessThan(WORST_MS);
  await process.stop();
  expect(target.faults).toEqual([]);
}

async function sendAgain(transcript: string, start: Part['start']): Promise<void> {
  const { target, process } = await start();
  await replay(transcript, target);
  await process.stop();
  expect(target.faults).toEqual([]);
}
