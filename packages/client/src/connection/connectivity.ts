/** What the platform knows of the device's network, and whether the page is visible. */
export interface Connectivity {
  /** False only where the device is known to have no network. */
  readonly online: boolean;
  /** False if the page is hidden, so that nobody sees it. @default true */
  readonly visible?: boolean;
  /** @returns a function that ends the observation */
  observe(observer: ConnectivityObserver): () => void;
}

export interface ConnectivityObserver {
  /** The network is back. */
  up(): void;
  /** The network is gone. A gateway on a loopback address may still be reachable. */
  down(): void;
  /** The device is on another network, or on the same one with another quality. */
  changed?(): void;
  /** The page became visible. */
  woken(): void;
}

/** That of a browser; in Node, where none of these events exist, the network is taken to be there. */
export const platformConnectivity: Connectivity = {
  get online() {
    return globalThis.navigator?.onLine !== false;
  },
  get visible() {
    return globalThis.document?.visibilityState !== 'hidden';
  },
  observe(observer) {
    if (typeof globalThis.addEventListener !== 'function') return () => {};
    const stop = new AbortController();
    const { signal } = stop;
    globalThis.addEventListener('online', () => observer.up(), { signal });
    globalThis.addEventListener('offline', () => observer.down(), { signal });
    const connection: unknown = globalThis.navigator && Reflect.get(globalThis.navigator, 'connection');
    // The Network Information API, which only Chromium has.
    if (connection instanceof EventTarget)
      connection.addEventListener('change', () => observer.changed?.(), { signal });
    globalThis.document?.addEventListener(
      'visibilitychange',
      () => {
        if (!document.hidden) observer.woken();
      },
      { signal },
    );
    return () => stop.abort();
  },
};
