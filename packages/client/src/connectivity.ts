/** What the platform knows of the device's network, and of whether anybody looks. */
export interface Connectivity {
  /** False only where the device is known to have no network. */
  readonly online: boolean;
  /** Returns what ends the observation. */
  observe(observer: ConnectivityObserver): () => void;
}

export interface ConnectivityObserver {
  /** The network is back. */
  up(): void;
  /** The network is gone. A gateway on a loopback address may still be there. */
  down(): void;
  /** Somebody looks again: the page became visible. */
  woken(): void;
}

/** That of a browser; in Node, where none of these events exist, the network is taken to be there. */
export const platformConnectivity: Connectivity = {
  get online() {
    return globalThis.navigator?.onLine !== false;
  },
  observe(observer) {
    if (typeof globalThis.addEventListener !== 'function') return () => {};
    const stop = new AbortController();
    const { signal } = stop;
    globalThis.addEventListener('online', () => observer.up(), { signal });
    globalThis.addEventListener('offline', () => observer.down(), { signal });
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
