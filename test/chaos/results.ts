import type { ClientsReport, Total } from './clients/settings.js';
import type { Fault } from './faults/fault.js';
import type { ApplicationState } from './stage/stage.js';
import { FINDING_KINDS } from './verification/findings.js';
import type { CommittedRevocation, RevocationKind } from './verification/truth.js';
import type { Verdict } from './verification/verdict.js';

export interface Results {
  readonly faults: readonly Fault[];
  readonly application: ApplicationState;
  readonly clients: ClientsReport;
  /** Committed transactions, by the application's own table. */
  readonly transactions: number;
  readonly events: number;
  readonly revocations: readonly CommittedRevocation[];
  readonly verdict: Verdict;
  /** Unexpected exits of processes, and clients that did not reach the head. */
  readonly surprises: readonly string[];
}

/** Nothing is lost, repeated, out of order or not allowed, no row differs, and no exit, reset or refusal was unexpected. */
export function isClean({ verdict, surprises, clients }: Results): boolean {
  const found = FINDING_KINDS.reduce((sum, kind) => sum + verdict[kind], verdict.differingRows);
  return found + surprises.length + resetsOf(clients) === 0;
}

/** The table of a run, ready for docs/development/reliability.md. */
export function formatResults(results: Results): string {
  const rows = [...faultRows(results.faults), ...countRows(results), ...verdictRows(results)];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `| ${name.padEnd(width)} | ${value.padStart(9)} |`).join('\n');
}

type TableRow = readonly [name: string, value: string];

function faultRows(faults: readonly Fault[]): TableRow[] {
  const counts = new Map<string, number>();
  for (const { kind, target } of faults) {
    const name = `${kind}: ${target.replace(/-\d\b/, '')}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const kinds = [...counts].sort(([a], [b]) => a.localeCompare(b)).map(([name, count]): TableRow => [name, `${count}`]);
  return [['what', 'count'], ['---', '---:'], ['**faults**', `**${faults.length}**`], ...kinds];
}

function countRows({ transactions, events, revocations, application, clients, verdict }: Results): TableRow[] {
  return [
    ['transactions committed', figure(transactions)],
    ['transactions rolled back (at least)', figure(application.rolledBack)],
    ['transactions failed (at least)', figure(application.failed)],
    ['events committed', figure(events)],
    ['revocations committed', figure(count(revocations, 'revoke'))],
    ['blocks committed', figure(count(revocations, 'block'))],
    ['events appended again, stored once', figure(application.appendedAgain)],
    ['followers', figure(verdict.followers)],
    ['events delivered to them', figure(verdict.received)],
    ['pauses of slow clients', figure(clients.pauses)],
    ['reconnects', figure(total(clients, 'reconnects'))],
    ['resumes', figure(total(clients, 'resumes'))],
    ['connections that ended with their token', figure(total(clients, 'expired'))],
    ['connections that a revocation ended or refused', figure(total(clients, 'revoked'))],
    ['subscriptions that new tokens did not allow', figure(total(clients, 'forbidden'))],
  ];
}

function verdictRows({ verdict, clients, surprises }: Results): TableRow[] {
  return [
    ['unexpected resets', figure(resetsOf(clients))],
    ['unexpected exits, clients not at the head', figure(surprises.length)],
    ['unexpected refusals', figure(verdict.refused)],
    ['delivered, but not committed', figure(verdict.uncommitted)],
    ['**delivered, but not allowed**', `**${verdict.notAllowed}**`],
    ['**seen after expiry**', `**${verdict.afterExpiry}**`],
    ['**seen after a revocation**', `**${verdict.afterRevocation}**`],
    ['**seen after a ban**', `**${verdict.afterBan}**`],
    ['**lost**', `**${verdict.lost}**`],
    ['**duplicate**', `**${verdict.duplicate}**`],
    ['**reordered**', `**${verdict.reordered}**`],
    ['**differing rows**', `**${verdict.differingRows}**`],
  ];
}

function total({ followers, gone }: ClientsReport, what: Total): number {
  return followers.reduce((sum, follower) => sum + follower[what], gone[what]);
}

function count(revocations: Results['revocations'], wanted: RevocationKind): number {
  return revocations.filter(({ kind }) => kind === wanted).length;
}

function resetsOf(clients: ClientsReport): number {
  return total(clients, 'resets');
}

function figure(count: number): string {
  return count.toLocaleString('en');
}
