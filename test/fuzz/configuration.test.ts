import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { PregonError } from '@pregon/protocol';
import { describe, expect, it } from 'vitest';
import { visibleLines } from '../../packages/server/src/cli/terminal/terminal-text.js';
import { loadConfiguration } from '../../packages/server/src/config/load-configuration.js';
import { Random } from '../chaos/random.js';
import { temporaryFolder } from '../support/cleanup.js';
import { byLength } from '../support/long.js';
import { COMPLETE, configurationText } from './configuration-texts.js';
import { INPUTS, SEED } from './settings.js';

/** Configurations are tested in addition to the inputs over the network. */
const TEXTS = INPUTS === undefined ? byLength({ quick: 300, check: 1_000, long: 1_000 }) : INPUTS / 50;

/** The most CPU time that one text of at most 200 KB may take. */
const MOST_MS = 2_000;

/** Characters that control a terminal, or change the direction of its text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the test looks for these characters
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

describe('Random configuration files', () => {
  it(`[I-8] [fault B6] are loaded, or refused with a message that names the place: ${TEXTS} texts`, async () => {
    const cwd = temporaryFolder();
    const faults = new Map<string, string>();
    const warnings: string[] = [];
    const warned = ({ message }: Error) => warnings.push(message);
    process.on('warning', warned);
    let refused = 0;
    const load = (text: Buffer | string) => {
      writeFileSync(join(cwd, 'pregon.yml'), text);
      return loadConfiguration({ file: undefined, cwd, variables: { TOKEN: 'a-token', EMPTY: '' } });
    };
    expect(load(COMPLETE).workers).toBe(2);
    for (let index = 0; index < TEXTS; index++) {
      const text = configurationText(new Random(SEED, `configuration ${index}`));
      const begun = process.cpuUsage();
      let wrong: string | undefined;
      try {
        load(text);
      } catch (error) {
        wrong = problemOf(error);
        refused += 1;
      }
      const { user, system } = process.cpuUsage(begun);
      const ms = (user + system) / 1_000;
      if (ms > MOST_MS) wrong = `${ms} ms of CPU time`;
      // One fault of each kind is enough.
      if (wrong)
        faults.set(
          wrong.slice(0, 40),
          `${wrong}\nconfiguration ${index}: ${JSON.stringify(text.toString()).slice(0, 2_000)}`,
        );
    }
    // Node.js emits warnings one turn later.
    await setImmediate();
    process.off('warning', warned);
    expect([...faults.values(), ...warnings], `seed ${SEED}`).toEqual([]);
    expect(refused).toBeGreaterThan(TEXTS / 10);
  }, 1_800_000);
});

/** Says what is wrong with an error, or undefined if it helps its reader. */
function problemOf(error: unknown): string | undefined {
  if (!(error instanceof PregonError) || error.code !== 'CONFIG_INVALID') {
    return `no CONFIG_INVALID, but ${error instanceof Error ? error.stack : String(error)}`;
  }
  const shown = visibleLines(error.message);
  if (CONTROLS.test(shown)) return `control characters reach the terminal: ${JSON.stringify(shown)}`;
  if (!error.message.includes('pregon.yml')) return `no place: ${error.message}`;
  return undefined;
}
