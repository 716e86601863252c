import { type Figures, numberOf } from '../processes/messages.js';
import type { Context } from '../question.js';
import { cpuMicros, type Side } from './sides.js';

/** How long nothing may come before a round is given up. */
const PATIENCE_MS = 5_000;
const FEEDBACK_MS = 5;

/** Events at a steady pace. */
export interface Paced {
  readonly kind: 'paced';
  readonly batch: number;
  readonly intervalMs: number;
  readonly durationMs: number;
}

/** As many events as go through. */
export interface Saturated {
  readonly kind: 'saturated';
  readonly batch: number;
  /** How far the producer may be ahead of the slowest connection, in events. */
  readonly window: number;
  readonly durationMs: number;
}

/** What is done again and again, in turns with others. */
export interface Turn {
  readonly title: string;
  readonly side: Side;
  readonly plan: Paced | Saturated;
}

export interface RoundResult {
  readonly deliveries: number;
  /** CPU time of the server for each delivery, user and system. */
  readonly serverMicros: number;
  /** The same of the load client, which must not be what is measured. */
  readonly clientMicros: number;
  readonly perSecond: number;
  /** Deliveries in one write of the server: how much a flush took along. */
  readonly perWrite: number;
  readonly figures: Figures;
}

/**
 * One round on one side. What the clients got is checked: every event on every connection that wants it, in order, to the byte.
 *
 * @throws Error where anything is missing or wrong
 */
export async function playRound(side: Side, plan: Paced | Saturated, latencies = false): Promise<RoundResult> {
  const { server, producer, load, next: first } = side;
  await load.ask('begin', { first, record: latencies ? 'latencies' : 'nothing' });
  const [serverBefore, clientBefore] = [await server.ask('cpu'), await cpuMicros(load)];
  const produced =
    plan.kind === 'paced' ? await producer.ask('produce', { ...plan, first }) : await saturate(side, plan);
  const sent = numberOf(produced, 'sent');
  side.next += sent;
  const deliveries = deliveriesOf(side, first, sent);
  const figures = await load.ask('finish', { events: deliveries, patienceMs: PATIENCE_MS });
  const [serverAfter, clientAfter] = [await server.ask('cpu'), await cpuMicros(load)];
  check(side, figures, { events: deliveries, bytes: numberOf(produced, 'bytes'), misordered: 0 });
  const used = (what: string) => numberOf(serverAfter, what) - numberOf(serverBefore, what);
  return {
    deliveries,
    serverMicros: used('cpuMicros') / deliveries,
    clientMicros: (clientAfter - clientBefore) / deliveries,
    perSecond: deliveries / (numberOf(figures, 'elapsedMs') / 1_000),
    perWrite: deliveries / used('writes'),
    figures,
  };
}

/**
 * Rounds of all in turns, so that what else the machine does falls on all of them. The first is for warming up.
 *
 * @returns the results of each turn, in the same order
 */
export async function playInTurns(context: Context, turns: readonly Turn[]): Promise<RoundResult[][]> {
  const results = turns.map((): RoundResult[] => []);
  for (let round = 0; round <= (context.quick ? 1 : 3); round++) {
    for (const [index, { title, side, plan }] of turns.entries()) {
      context.progress(`${title}, ${round === 0 ? 'warming up' : `round ${round}`}`);
      const result = await playRound(side, round === 0 ? { ...plan, durationMs: plan.durationMs / 4 } : plan);
      if (round > 0) results[index]?.push(result);
    }
  }
  return results;
}

/** How long a round takes. */
export function roundMs({ quick }: Context): number {
  return quick ? 400 : 2_000;
}

async function saturate(
  { producer, load, next: first }: Side,
  { batch, window, durationMs }: Saturated,
): Promise<Figures> {
  const produced = producer.ask('saturate', { first, batch });
  const end = performance.now() + durationMs;
  while (performance.now() < end) {
    const next = numberOf(await load.ask('progress'), 'next');
    await producer.ask('allow', { before: next + window });
    await new Promise((resolve) => setTimeout(resolve, FEEDBACK_MS));
  }
  await producer.ask('stop');
  return produced;
}

/** None of them wants an event that was not made: where there are that many, each got all of its own. */
function deliveriesOf({ audiences }: Side, first: number, sent: number): number {
  let sum = 0;
  for (let number = first; number < first + sent; number++) sum += audiences[number % audiences.length] ?? 0;
  return sum;
}

function check(side: Side, got: Figures, expected: Figures): void {
  for (const [name, value] of Object.entries(expected)) {
    if (got[name] !== value) throw new Error(`${side.name}: ${name}: ${got[name]} of ${value}`);
  }
}
