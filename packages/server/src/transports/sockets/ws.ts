import { createRequire } from 'node:module';

type Ws = Pick<typeof import('ws'), 'WebSocket' | 'WebSocketServer'>;

/**
 * The classes of `ws`, which is CommonJS; `import` would return the same ones. But before Node.js imports a CommonJS
 * package, it parses its source for exported names, which takes twice as long as running it.
 */
export const { WebSocket, WebSocketServer }: Ws = createRequire(import.meta.url)('ws');
