import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Driver } from './driver.js';
import type { Delays } from './healthy/delays.js';
import type { Session } from './session.js';
import type { Target } from './targets/target.js';

/** The folder for transcripts of failures; ignored by Git. */
const FOLDER = join(import.meta.dirname, 'data');

/** How long before a fault the input that caused it may have been sent. */
const BEFORE_MS = 300;

/** Describes a run in one paragraph. */
export function describeRun(
  { name, pids }: Target,
  driver: Driver,
  delays: Delays,
  seconds: number,
  seed: number,
): string {
  const by = [...driver.inputsOf].map(([entrance, inputs]) => `${entrance} ${inputs}`).join(', ');
  const turns = delays.longTurns.slice(0, 5).map(({ at, ms }) => {
    const suspects = driver.entrancesBetween(at - ms, at);
    return `${ms} ms during ${suspects.length > 6 ? `${suspects.length} entrances` : suspects.join(', ')}`;
  });
  return [
    `fuzz: ${name}, seed ${seed}: ${driver.inputs} inputs in ${driver.sessions} sessions, ${Math.round(driver.inputs / seconds)}/s (${by})`,
    `  healthy client: ${delays.events} events, delay by CPU time p50 ${delays.p50.toFixed(1)} ms, p99 ${delays.p99.toFixed(1)} ms, worst ${delays.worst.toFixed(1)} ms`,
    `  main threads ${pids.join(', ')}: ${delays.longTurns.length} turns over 20 ms of CPU time${turns.length > 0 ? `: ${turns.join('; ')}` : ''}`,
  ].join('\n');
}

/**
 * Writes the input around a time to a file, which PREGON_FUZZ_REPLAY=<file> replays.
 *
 * @returns the file
 */
export function saveTranscript(driver: Driver, at: number, seed: number): string {
  mkdirSync(FOLDER, { recursive: true });
  const file = join(FOLDER, `seed-${seed}-${at}.json`);
  const sessions = driver
    .transcriptsBetween(at - BEFORE_MS, at)
    .map(({ index, entrance, startedAt, steps }: Session) => ({
      index,
      entrance,
      startedAt,
      steps,
    }));
  writeFileSync(file, JSON.stringify(sessions));
  return file;
}
