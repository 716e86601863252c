import { EventEmitter } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AccessLimits } from '../../../src/access/limits/access-limits.js';
import type { ClientLimitOptions } from '../../../src/access/limits/client-limit-options.js';
import type { Carrier } from '../../../src/core/admission/clients.js';
import type { Counts } from '../../../src/core/counts/counts.js';
import { CountBoard, type CountingProcess } from '../../../src/workers/count-board.js';
import { readToPrimary, readToWorker } from '../../../src/workers/messages.js';
import { FakeClock } from '../../core/support/fake-clock.js';

const LIMITS: Required<ClientLimitOptions> = {
  maxConnectionsPerAddress: 4,
  maxHandshakesPerSecond: 0,
  handshakeBurst: 0,
  maxFailedAuthenticationsPerMinute: 30,
  maxPendingPerAddress: 0,
  maxPending: 10,
  maxConnectionsPerIdentity: 4,
};

const ADDRESS = '203.0.113.7';

/** A worker reports after half a second, and the primary tells the others after half a second more. */
const EXCHANGED_MS = 1_000;

class Socket extends EventEmitter implements Carrier {
  closed = false;

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.emit('close');
  }
}

/** A worker, and both ends of its channel. */
class TestWorker implements CountingProcess {
  isServing = true;
  /** Whether its channel takes no more messages. */
  isStuck = false;
  /** Whether messages from it are lost. */
  isLost = false;
  readonly limits: AccessLimits;
  /** The sizes of the messages from and to the worker, in bytes. */
  readonly sent: number[] = [];
  readonly heard: number[] = [];
  readonly #board: CountBoard<TestWorker>;
  readonly #hear: (others: Counts) => void;

  constructor(
    limits: Required<ClientLimitOptions>,
    processes: number,
    board: CountBoard<TestWorker>,
    clock: FakeClock,
  ) {
    this.#board = board;
    this.limits = new AccessLimits(limits, {}, clock);
    board.join(this);
    this.#hear = this.limits.share({
      processes,
      tell: (counts, written) => {
        const text = JSON.stringify({ op: 'counts', ...counts });
        this.sent.push(Buffer.byteLength(text));
        if (this.isStuck) return;
        const message = readToPrimary(JSON.parse(text));
        if (message?.op !== 'counts') expect.unreachable(`the primary cannot read ${text.slice(0, 200)}`);
        if (!this.isLost) board.report(this, message);
        written();
      },
    });
  }

  tellCounts(counts: Counts, written: () => void): void {
    const text = JSON.stringify({ op: 'counts', ...counts });
    this.heard.push(Buffer.byteLength(text));
    if (this.isStuck) return;
    const message = readToWorker(JSON.parse(text));
    if (message?.op !== 'counts') expect.unreachable(`a worker cannot read ${text.slice(0, 200)}`);
    this.#hear(message);
    written();
  }

  end(): void {
    this.#board.leave(this);
  }

  arrive(address = ADDRESS, sub?: string) {
    const request = { httpVersion: '1.1', headers: {}, socket: { remoteAddress: address } };
    const socket = new Socket();
    const { clients } = this.limits;
    clients.keep(request, socket);
    const refusal =
      clients.arrived(request) ??
      (sub === undefined ? undefined : clients.identified(request, { identity: { iss: 'shop', sub } }));
    if (refusal) socket.close();
    return { socket, reason: refusal?.reason };
  }
}

function start(limits: Partial<ClientLimitOptions> = {}, processes = 2) {
  const clock = new FakeClock();
  const board = new CountBoard<TestWorker>(clock);
  const fork = () => new TestWorker({ ...LIMITS, ...limits }, processes, board, clock);
  const [first, second, ...more] = [fork(), fork(), ...Array.from({ length: processes - 2 }, fork)];
  return { clock, board, first, second, workers: [first, second, ...more], fork };
}

function times<T>(count: number, create: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => create(index));
}

describe('[H-08] The limits of several workers', () => {
  it('hold for the connections of an address at all of them, and until these close', () => {
    const { clock, first, second } = start();
    const open = times(4, () => first.arrive().socket);
    clock.advance(EXCHANGED_MS);
    expect(second.arrive().reason).toBe('address connections');
    expect(second.arrive('203.0.113.8').reason).toBeUndefined();
    for (const socket of open) socket.close();
    clock.advance(EXCHANGED_MS);
    expect(second.arrive().reason).toBeUndefined();
  });

  it('hold for the connections of an identity, at all addresses, whatever its name', () => {
    const { clock, first, second } = start();
    for (const sub of ['ada', `"\u0000é${'x'.repeat(4_000)}`]) {
      const open = times(4, () => first.arrive('127.0.0.1', sub).socket);
      clock.advance(EXCHANGED_MS);
      expect(second.arrive('127.0.0.1', sub).reason).toBe('identity connections');
      expect(second.arrive('127.0.0.1', `${sub}x`).reason).toBeUndefined();
      for (const socket of open) socket.close();
      clock.advance(EXCHANGED_MS);
      expect(second.arrive('127.0.0.1', sub).reason).toBeUndefined();
    }
  });

  it('hold for refused tokens', () => {
    const { clock, first, second } = start();
    for (let n = 0; n < 30; n++) first.limits.failures.failed(ADDRESS);
    clock.advance(EXCHANGED_MS);
    expect(second.limits.failures.refusal(ADDRESS)).toMatchObject({ reason: 'address failures' });
    expect(second.limits.failures.refusal('203.0.113.8')).toBeUndefined();
    clock.advance(3_000);
    expect(second.limits.failures.refusal(ADDRESS)).toBeUndefined();
  });

  it.each([2, 8, 20])(
    'let %i workers together accept no more handshakes than one alone, after the first second',
    (n) => {
      const { clock, workers } = start(
        { maxConnectionsPerAddress: 0, maxHandshakesPerSecond: 100, handshakeBurst: 100 },
        n,
      );
      let granted = 0;
      const seconds = 60;
      for (let step = 0; step < seconds * 10; step++) {
        for (const worker of workers) {
          for (let attempt = 0; attempt < 12; attempt++) {
            const { socket, reason } = worker.arrive();
            if (reason === undefined) granted += 1;
            socket.close();
          }
        }
        clock.advance(100);
      }
      // Of each worker: a burst, what the rate gives in the first second, and a tenth of its share.
      expect(granted).toBeLessThan(n * 200 + seconds * 110);
      expect(granted).toBeGreaterThan(seconds * 50);
    },
  );

  it('let go of the counts of a worker that has ended', () => {
    const { clock, first, second } = start();
    times(4, () => first.arrive());
    clock.advance(EXCHANGED_MS);
    expect(second.limits.clients.counted.addresses).toBe(0);
    first.end();
    clock.advance(EXCHANGED_MS);
    expect(second.arrive().reason).toBeUndefined();
    expect(times(4, () => second.arrive().reason).filter(Boolean)).toEqual(['address connections']);
  });

  it('are told to a worker that takes the place of another', () => {
    const { clock, first, second, fork } = start();
    times(4, () => first.arrive());
    clock.advance(EXCHANGED_MS);
    second.end();
    const third = fork();
    clock.advance(EXCHANGED_MS);
    expect(third.arrive().reason).toBe('address connections');
  });

  it('are told to a worker that serves later than the counts began', () => {
    const { clock, first, second } = start();
    second.isServing = false;
    times(4, () => first.arrive());
    clock.advance(10 * EXCHANGED_MS);
    second.isServing = true;
    clock.advance(EXCHANGED_MS);
    expect(second.arrive().reason).toBe('address connections');
  });

  it('hold as long as connections are open, although nothing changes', () => {
    const { clock, first, second } = start();
    times(4, () => first.arrive());
    clock.advance(600_000);
    expect(second.arrive().reason).toBe('address connections');
  });

  it('forget the counts of a worker that is silent for seconds', () => {
    const { clock, first, second } = start();
    times(3, () => first.arrive());
    clock.advance(EXCHANGED_MS);
    // It can neither send nor read.
    first.isStuck = true;
    const sent = first.sent.length;
    times(2, () => second.arrive());
    clock.advance(7_000);
    // Messages do not pile up in a channel that nobody reads.
    expect(first.sent.length).toBeLessThanOrEqual(sent + 1);
    const open = times(2, () => second.arrive());
    expect(open.map(({ reason }) => reason)).toEqual([undefined, undefined]);
    // A worker without news goes on with its own counts.
    expect(first.arrive().reason).toBeUndefined();
    expect(first.arrive().reason).toBe('address connections');
  });

  it('forget the counts of others if the primary is silent for seconds', () => {
    const { clock, board, first, second } = start();
    times(4, () => first.arrive());
    clock.advance(EXCHANGED_MS);
    expect(second.arrive().reason).toBe('address connections');
    second.isStuck = true;
    clock.advance(7_000);
    expect(second.arrive().reason).toBeUndefined();
    const told = second.heard.length;
    clock.advance(60_000);
    expect(second.heard.length).toBe(told);
    board.leave(second);
  });

  it('know the counts of a worker again that was silent, although they are the same', () => {
    const { clock, first, second } = start();
    times(4, () => first.arrive());
    clock.advance(EXCHANGED_MS);
    // As a process that was stopped: no timer of it runs.
    first.isLost = true;
    clock.advance(7_000);
    first.isLost = false;
    clock.advance(EXCHANGED_MS);
    expect(second.arrive().reason).toBe('address connections');
  });

  it('cost no message and no timer while there is nothing to share', () => {
    const { clock, workers } = start({ maxConnectionsPerAddress: 2_000, maxConnectionsPerIdentity: 100 });
    const open = times(200, (n) => workers[n % 2]?.arrive(`198.51.100.${n}`, `user-${n}`));
    clock.advance(10_000);
    expect(workers.flatMap(({ sent, heard }) => [...sent, ...heard])).toEqual([]);
    expect(clock.timers).toBe(0);
    for (const client of open) client?.socket.close();
    clock.advance(10_000);
    expect(clock.timers).toBe(0);
  });

  it('leave no timer behind when all clients have left', () => {
    const { clock, first, second } = start();
    const open = [...times(4, () => first.arrive()), ...times(4, () => second.arrive())];
    first.limits.failures.failed(ADDRESS);
    clock.advance(3 * EXCHANGED_MS);
    for (const { socket } of open) socket.close();
    clock.advance(3 * EXCHANGED_MS);
    expect(clock.timers).toBe(0);
  });

  it('keep messages small in a flood of 20,000 addresses, and still stop the one with the most connections', () => {
    const { clock, first, second, workers } = start({ maxHandshakesPerSecond: 10, handshakeBurst: 1_000 });
    for (let n = 0; n < 20_000; n++) {
      const address = `2001:db8:${(n >> 8).toString(16)}:ff${(n & 255).toString(16)}::1`;
      const worker = n % 2 === 0 ? first : second;
      worker.arrive(address, `someone-with-a-rather-long-name-${n}`);
      worker.limits.failures.failed(address);
    }
    times(4, () => first.arrive());
    for (let second = 0; second < 5; second++) {
      clock.advance(1_000);
      first.arrive(`198.51.100.${second}`);
    }
    expect(second.arrive().reason).toBe('address connections');
    const sizes = workers.flatMap(({ sent, heard }) => [...sent, ...heard]);
    expect(Math.max(...sizes)).toBeLessThan(110_000);
    expect(Math.max(...sizes)).toBeGreaterThan(10_000);
  });

  it('know of the others what was true at some time within the last second', () => {
    const step = fc.record({
      worker: fc.nat(2),
      action: fc.constantFrom('open', 'open', 'close', 'wait'),
      address: fc.constantFrom('203.0.113.7', '203.0.113.8'),
      ms: fc.integer({ min: 1, max: 700 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
        // The limit is so large that nobody is refused, and so small that each count is shared.
        const limits = { maxConnectionsPerAddress: 29, maxConnectionsPerIdentity: 0 };
        const { clock, workers } = start(limits, 3);
        const open = workers.map(() => new Map<string, Socket[]>());
        const history: { at: number; counts: number[][] }[] = [];
        const addresses = ['203.0.113.7', '203.0.113.8'];
        const now = () => open.map((byAddress) => addresses.map((address) => byAddress.get(address)?.length ?? 0));
        const refusedAt = (index: number, address: string) => {
          const worker = workers[index];
          if (!worker) return 0;
          // How many more it would accept tells what it knows of the others.
          const probes: Socket[] = [];
          for (;;) {
            const { socket, reason } = worker.arrive(address);
            if (reason !== undefined) break;
            probes.push(socket);
          }
          for (const socket of probes) socket.close();
          return 29 - probes.length;
        };
        history.push({ at: 0, counts: now() });
        for (const { worker, action, address, ms } of steps) {
          if (action === 'wait') clock.advance(ms);
          const sockets = open[worker]?.get(address) ?? [];
          open[worker]?.set(address, sockets);
          const total = now().reduce((sum, counts) => sum + (counts[addresses.indexOf(address)] ?? 0), 0);
          if (action === 'open' && total < 12) {
            const client = workers[worker]?.arrive(address);
            if (client?.reason === undefined && client) sockets.push(client.socket);
          } else if (action === 'close') sockets.shift()?.close();
          history.push({ at: clock.now(), counts: now() });

          const since = clock.now() - EXCHANGED_MS;
          const before = history.filter(({ at }) => at <= since).length;
          const recent = history.slice(Math.max(before - 1, 0));
          const column = addresses.indexOf(address);
          for (const index of [0, 1, 2]) {
            const own = open[index]?.get(address)?.length ?? 0;
            let [least, most] = [own, own];
            for (const other of [0, 1, 2].filter((other) => other !== index)) {
              const counts = recent.map(({ counts }) => counts[other]?.[column] ?? 0);
              least += Math.min(...counts);
              most += Math.max(...counts);
            }
            const known = refusedAt(index, address);
            expect(known).toBeGreaterThanOrEqual(least);
            expect(known).toBeLessThanOrEqual(most);
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});
