import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '../../fixtures/frames');
const PACKAGE = join(import.meta.dirname, '../../../packages/server/package.json');

/** The ways to connect a client. */
export const WAYS = ['websocket', 'pregon.v1', 'sse', 'socketio-websocket', 'socketio-polling'] as const;
export type Way = (typeof WAYS)[number];

/** One action of a client, the application or the gateway. */
export type Action =
  | { readonly do: 'open'; readonly wire: string; readonly target: string; readonly headers?: Record<string, string> }
  | { readonly do: 'send'; readonly wire: string; readonly text: string }
  | { readonly do: 'drop'; readonly wire: string }
  | { readonly do: 'append'; readonly numbers: readonly number[] }
  | { readonly do: 'broadcast'; readonly name: string; readonly data: unknown }
  | { readonly do: 'close the gateway' };

/** An action, and the frames that each wire then received, in order, with placeholders (see placeholders.ts). */
export type Step = Action & { readonly got: Readonly<Record<string, readonly string[]>> };

/** A session with a gateway of one release. */
export interface Recording {
  readonly version: string;
  readonly way: Way;
  /** The names of control frames, blocks or events that clients of that release know; they ignore all others. */
  readonly known: readonly string[];
  readonly steps: readonly Step[];
}

/** The version of this checkout. */
export function currentVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(PACKAGE, 'utf8'));
  return String(Reflect.get(Object(manifest), 'version'));
}

export function recordedVersions(): string[] {
  return existsSync(FOLDER) ? readdirSync(FOLDER).sort() : [];
}

export function saveRecording(recording: Recording): void {
  const folder = join(FOLDER, recording.version);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${recording.way}.json`), `${JSON.stringify(recording, undefined, 2)}\n`);
}

/** @throws TypeError if the file is not a recording of this version and way */
export function loadRecording(version: string, way: Way): Recording {
  const value: unknown = JSON.parse(readFileSync(join(FOLDER, version, `${way}.json`), 'utf8'));
  if (isRecording(value) && value.version === version && value.way === way) return value;
  throw new TypeError(`test/fixtures/frames/${version}/${way}.json is not a recording of ${way} by release ${version}`);
}

function isRecording(value: unknown): value is Recording {
  if (typeof value !== 'object' || value === null) return false;
  return 'version' in value && 'way' in value && 'known' in value && 'steps' in value && Array.isArray(value.steps);
}
