import { clockTime } from '../times.js';
import { counted, eventsPerSecond, figure } from '../words.js';
import { type Facts, isConnected, isDown } from './facts.js';
import { Station, type StationFace } from './station.js';

/** How many characters of a position are shown: enough to tell two positions apart. */
const POSITION_SHOWN = 8;

const UNKNOWN: StationFace = { lamp: 'unknown', value: '–', note: 'Not known' };

/** The line of four stations: database, log, gateway, page. Each shows whether it is up, and its progress. */
export class Line {
  readonly #database = new Station('database');
  readonly #log = new Station('log');
  readonly #gateway = new Station('gateway');
  readonly #page = new Station('page');

  show(facts: Facts): void {
    this.#database.show(databaseFace(facts));
    this.#log.show(logFace(facts));
    this.#gateway.show(gatewayFace(facts));
    this.#page.show(pageFace(facts));
  }

  /** Shows that an event passed all stations. */
  spark(): void {
    for (const station of [this.#database, this.#log, this.#gateway]) station.spark();
  }
}

function databaseFace(facts: Facts): StationFace {
  const { application, status, users } = facts;
  if (application === 'unknown') return UNKNOWN;
  if (application === 'silent') return { ...UNKNOWN, note: 'No answer', more: 'from the application' };
  if (application === 'failing') {
    return { lamp: 'bad', track: 'cut', value: 'Down', note: 'No answer', more: 'to the application', tone: 'bad' };
  }
  if (!status) return UNKNOWN;
  const count = isConnected(facts) ? users : status.users;
  const { databaseKind, databaseName } = status;
  return {
    lamp: 'live',
    track: 'live',
    value: countOfUsers(count, facts),
    note: databaseKind,
    more: databaseName,
    title: databaseName,
  };
}

function countOfUsers(count: number | undefined, { hasBeenLive }: Facts): string {
  if (count === undefined) return '–';
  return count === 0 && !hasBeenLive ? 'Empty' : counted(count, 'user');
}

function logFace(facts: Facts): StationFace {
  const { application, status, rate, waiting, hasBeenLive } = facts;
  const track = isConnected(facts) ? 'live' : 'cut';
  const pending = application === 'answers' ? (status?.pending ?? 0) : 0;
  if (isConnected(facts) && hasBeenLive) {
    const face = { ...progress(facts), title: status ? `Log: ${status.logKind}` : '', track } as const;
    if (facts.events === 0) return { ...face, lamp: 'live', note: 'Empty' };
    if (pending > 0) {
      return { ...face, lamp: 'wait', note: `${counted(pending, 'event')} not in it yet`, tone: 'wait' };
    }
    return { ...face, lamp: 'live', note: eventsPerSecond(rate) };
  }
  if (application !== 'answers' || !status) return { ...UNKNOWN, track };
  const face = { lamp: 'live', track, ...numbered(status.sequence) } as const;
  if (waiting === undefined || waiting === 0) return { ...face, note: eventsPerSecond(rate) };
  return { ...face, note: `${figure(waiting)} waiting`, more: 'for this page', tone: 'wait' };
}

function gatewayFace(facts: Facts): StationFace {
  const { state, address, process } = facts;
  const colon = address.lastIndexOf(':');
  const where = { lead: address.slice(0, Math.max(0, colon)), note: address.slice(Math.max(0, colon)) };
  if (isConnected(facts)) {
    const value = process ? counted(process.connections, 'client') : 'Up';
    return { lamp: 'live', track: 'live', value, ...where, more: process ? `pid ${process.pid}` : '' };
  }
  if (state === 'refused') {
    return { lamp: 'bad', track: 'cut', value: 'Refused', note: 'Not let in', tone: 'bad' };
  }
  if (state === 'offline') return { ...UNKNOWN, track: 'cut', note: 'No network' };
  if (!isDown(facts)) return UNKNOWN;
  return { lamp: 'bad', track: 'cut', value: 'Down', ...where, lead: `No answer on ${where.lead}`, tone: 'bad' };
}

function pageFace(facts: Facts): StationFace {
  const { state, hasBeenLive, lostAt, position, behind } = facts;
  if (!hasBeenLive) return { lamp: 'wait', value: '–', note: 'Nothing yet', tone: isDown(facts) ? 'wait' : 'plain' };
  const face = { ...progress(facts), title: position === undefined ? '' : `Position ${position}` };
  if (state === 'online') {
    const more = position === undefined ? 'listening' : `position ${position.slice(0, POSITION_SHOWN)}…`;
    return { ...face, lamp: 'live', note: 'Up to date', more, tone: 'good' };
  }
  if (state === 'catching-up') {
    return { ...face, lamp: 'wait', note: behind > 0 ? `${figure(behind)} to go` : 'Catching up', tone: 'wait' };
  }
  return { ...face, lamp: 'wait', note: lostAt === undefined ? '' : `As of ${clockTime(lostAt)}`, tone: 'wait' };
}

/** The progress of the page: the sequence of the last event, or the number of events if they have no sequences. */
function progress({ sequence, events }: Facts): Pick<StationFace, 'unit' | 'value'> {
  return sequence === undefined ? { value: counted(events, 'event') } : numbered(sequence);
}

function numbered(sequence: number): Pick<StationFace, 'unit' | 'value'> {
  return { unit: 'event', value: figure(sequence) };
}
