/** The network of the device and the visibility of the page, as the platform reports them. */
export interface Connectivity {
  /** False only if the device certainly has no network. */
  readonly online: boolean;
  /** False if the page is hidden. @default true */
  readonly visible?: boolean;
  /** @returns a function that ends the observation */
  observe(observer: ConnectivityObserver): () => void;
}

export interface ConnectivityObserver {
  /** The network is back. */
  up(): void;
  /** The network is gone. A gateway on a loopback address may still be reachable. */
  down(): void;
  /** The device is on another network, or the quality of the network changed. */
  changed?(): void;
  /** The page became visible. */
  woken(): void;
}

/** The connectivity of a browser. Node.js has none of these events, so there the network counts as present. */
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
    // Only Chromium has the Network Information API.
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
