import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertEvent, type LogPoint, type PregonEvent } from '@pregon/protocol';
import { temporaryFolder } from '../cleanup.js';

const FIXTURES = join(import.meta.dirname, '../../fixtures');

/** A log of format 1, and the data that its writer recorded about it. */
export interface Format1 {
  readonly path: string;
  readonly birth: LogPoint;
  readonly floor: LogPoint;
  /** The ids of all events, including dropped ones. */
  readonly points: readonly LogPoint[];
  /** The positions as clients of that release hold them. */
  readonly positions: readonly string[];
  readonly events: readonly PregonEvent[];
}

/** A copy of the log that test/support/log/write-format-1.mjs wrote; it is removed after the test. */
export function copyFormat1(): Format1 {
  const path = join(temporaryFolder(), 'log.db');
  copyFileSync(join(FIXTURES, 'log-format-1.sqlite'), path);
  const about: unknown = JSON.parse(readFileSync(join(FIXTURES, 'log-format-1.json'), 'utf8'));
  return {
    path,
    birth: pointIn(about, 'birth'),
    floor: pointIn(about, 'floor'),
    points: listIn(about, 'points').map(toPoint),
    positions: listIn(about, 'positions').map(String),
    events: listIn(about, 'events').map(toEvent),
  };
}

/** A copy of the log that test/support/log/write-format-2.mjs wrote; it is removed after the test. */
export function copyFormat2(): string {
  const path = join(temporaryFolder(), 'log.db');
  copyFileSync(join(FIXTURES, 'log-format-2.sqlite'), path);
  return path;
}

function pointIn(about: unknown, name: string): LogPoint {
  return toPoint(Reflect.get(Object(about), name));
}

function listIn(about: unknown, name: string): unknown[] {
  const list: unknown = Reflect.get(Object(about), name);
  if (!Array.isArray(list)) throw new TypeError(`the fixture has no ${name}`);
  return list;
}

function toPoint(value: unknown): LogPoint {
  const { offset, fingerprint } = Object(value);
  return { offset: Number(offset), fingerprint: Number(fingerprint) };
}

function toEvent(value: unknown): PregonEvent {
  assertEvent(value);
  return value;
}
