import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../src/clock.js';
import { platformConnectivity } from '../src/connection/connectivity.js';
import { harness } from './support/harness.js';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe('the connectivity of a browser', () => {
  function browser() {
    const page = new EventTarget();
    const document = Object.assign(new EventTarget(), { hidden: false, visibilityState: 'visible' });
    const navigator = { onLine: true, connection: new EventTarget() };
    vi.stubGlobal('addEventListener', page.addEventListener.bind(page));
    vi.stubGlobal('document', document);
    vi.stubGlobal('navigator', navigator);
    return { page, document, navigator };
  }

  it('comes from its online, offline and visibilitychange events', () => {
    const { page, document, navigator } = browser();
    const seen: string[] = [];
    const stop = platformConnectivity.observe({
      up: () => seen.push('up'),
      down: () => seen.push('down'),
      woken: () => seen.push('woken'),
    });
    const all = () => {
      page.dispatchEvent(new Event('offline'));
      page.dispatchEvent(new Event('online'));
      document.dispatchEvent(new Event('visibilitychange'));
    };
    all();
    document.hidden = true;
    document.dispatchEvent(new Event('visibilitychange'));
    expect(seen).toEqual(['down', 'up', 'woken']);
    stop();
    all();
    expect(seen).toHaveLength(3);
    expect(platformConnectivity.online).toBe(true);
    navigator.onLine = false;
    expect(platformConnectivity.online).toBe(false);
  });

  it('[fault G6] reports a changed network, if the browser knows, and whether the page is visible', () => {
    const { document, navigator } = browser();
    const seen: string[] = [];
    const stop = platformConnectivity.observe({
      up() {},
      down() {},
      woken() {},
      changed: () => seen.push('changed'),
    });
    navigator.connection.dispatchEvent(new Event('change'));
    expect([seen, platformConnectivity.visible]).toEqual([['changed'], true]);
    document.visibilityState = 'hidden';
    expect(platformConnectivity.visible).toBe(false);
    stop();
    navigator.connection.dispatchEvent(new Event('change'));
    expect(seen).toHaveLength(1);
    vi.stubGlobal('document', undefined);
    expect(platformConnectivity.visible).toBe(true);
  });

  it('counts as online if the platform does not report it', () => {
    vi.stubGlobal('addEventListener', undefined);
    vi.stubGlobal('navigator', undefined);
    expect(platformConnectivity.online).toBe(true);
    expect(() => platformConnectivity.observe({ up() {}, down() {}, woken() {} })()).not.toThrow();
  });
});

describe('an error without a listener', () => {
  it('goes to reportError if the platform has it, else to the console', async () => {
    const reported: unknown[] = [];
    const logged = vi.spyOn(console, 'error').mockImplementation((error) => reported.push(['console', error]));
    for (const report of [undefined, (error: unknown) => reported.push(['reportError', error])]) {
      vi.stubGlobal('reportError', report);
      const { client, online } = await harness({}, { listen: false });
      client.on('state', () => {
        throw new Error('broken');
      });
      await online();
    }
    expect(logged).toHaveBeenCalledTimes(2);
    expect(reported).toMatchObject([
      ['console', { code: 'HANDLER_FAILED' }],
      ['console', { code: 'HANDLER_FAILED' }],
      ['reportError', { code: 'HANDLER_FAILED' }],
      ['reportError', { code: 'HANDLER_FAILED' }],
    ]);
  });
});

describe('the clock of the system', () => {
  it('calls once, after the delay, and not if it is cancelled', async () => {
    const called: string[] = [];
    const cancel = systemClock.after(1, () => called.push('cancelled'));
    cancel();
    const before = systemClock.now();
    await new Promise<void>((resolve) => systemClock.after(20, resolve));
    expect(systemClock.now() - before).toBeGreaterThanOrEqual(15);
    expect(called).toEqual([]);
  });
});
