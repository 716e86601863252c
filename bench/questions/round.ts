import { type Figures, numberOf } from '../processes/messages.js';
import type { Context } from '../question.js';
import { cpuMicros, type Side } from './sides.js';

/** If no event arrives for this long, the round is given up. */
const PATIENCE_MS = 5_000;
const FEEDBACK_MS = 5;

/** Publishes events at a steady rate. */
export interface Paced {
  readonly kind: 'paced';
  readonly batch: number;
  readonly intervalMs: number;
  readonly durationMs: number;
}

/** Publishes events at the highest possible rate. */
export interface Saturated {
  readonly kind: 'saturated';
  readonly batch: number;
  /** How far the producer may be ahead of the slowest connection, in events. */
  readonly window: number;
  readonly durationMs: number;
}

/** A measurement that is repeated, in alternation with others. */
export interface Turn {
  readonly title: string;
  readonly side: Side;
  readonly plan: Paced | Saturated;
}

export interface RoundResult {
  readonly deliveries: number;
  /** CPU time of the server per delivery, user and system. */
  readonly serverMicros: number;
  /** The same of the load client, which must not be the bottleneck. */
  readonly clientMicros: number;
  readonly perSecond: number;
  /** Deliveries per write call of the server. */
  readonly perWrite: number;
  readonly figures: Figures;
}

/**
 * Plays one round on one side. It checks that every event arrived on every subscribed connection, in order, with the
 * exact number of bytes.
 *
 * @throws Error if anything is missing or wrong
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
 * Plays rounds of all turns alternately, so that other load on the machine affects all equally. The first round is a
 * warm-up.
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

/**
 * The number of deliveries if each connection gets all events that it subscribed to. So an equal count proves
 * completeness.
 */
function deliveriesOf({ audiences }: Side, first: number, sent: number): number {
  let sum = 0;
  for (let number = first; number < first + sent; number++) sum += audiences[number % audiences.length] ?? 0;
  return sum;
}

function check(side: Side, got: Figures, expected: Figures): void {
  for (const [name, value] of Object.entries(expected)) {
    if (got[name] !== value) throw new Error(`${side.name}: ${name} is ${got[name]}, but must be ${value}`);
  }
}
