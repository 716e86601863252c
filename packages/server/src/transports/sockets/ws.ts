import { createRequire } from 'node:module';

type Ws = Pick<typeof import('ws'), 'WebSocket' | 'WebSocketServer'>;

/**
 * The classes of `ws`, which is CommonJS: the same ones that `import` gives. Before it imports a package of CommonJS, Node.js reads its
 * text for the names that it exports, which takes twice as long as running it.
 */
export const { WebSocket, WebSocketServer }: Ws = createRequire(import.meta.url)('ws');
