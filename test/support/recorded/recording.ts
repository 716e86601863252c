import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '../../fixtures/frames');
const PACKAGE = join(import.meta.dirname, '../../../packages/server/package.json');

/** How a client is connected. */
export const WAYS = ['websocket', 'pregon.v1', 'sse', 'socketio-websocket', 'socketio-polling'] as const;
export type Way = (typeof WAYS)[number];

/** One thing that a client, the application or the gateway did. */
export type Action =
  | { readonly do: 'open'; readonly wire: string; readonly target: string; readonly headers?: Record<string, string> }
  | { readonly do: 'send'; readonly wire: string; readonly text: string }
  | { readonly do: 'drop'; readonly wire: string }
  | { readonly do: 'append'; readonly numbers: readonly number[] }
  | { readonly do: 'broadcast'; readonly name: string; readonly data: unknown }
  | { readonly do: 'close the gateway' };

/** An action, and what came to each wire after it: frames, in order. Volatile parts are placeholders, see placeholders.ts. */
export type Step = Action & { readonly got: Readonly<Record<string, readonly string[]>> };

/** A session that a release has served. */
export interface Recording {
  readonly version: string;
  readonly way: Way;
  /** The names of control frames, blocks or events that clients of that release know. They ignore others. */
  readonly known: readonly string[];
  readonly steps: readonly Step[];
}

/** The release that this checkout is, or will be. */
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

/** @throws TypeError if the file is no recording */
export function loadRecording(version: string, way: Way): Recording {
  const value: unknown = JSON.parse(readFileSync(join(FOLDER, version, `${way}.json`), 'utf8'));
  if (isRecording(value) && value.version === version && value.way === way) return value;
  throw new TypeError(`test/fixtures/frames/${version}/${way}.json is no recording of ${way}`);
}

function isRecording(value: unknown): value is Recording {
  if (typeof value !== 'object' || value === null) return false;
  return 'version' in value && 'way' in value && 'known' in value && 'steps' in value && Array.isArray(value.steps);
}
