import { connect, type Socket } from 'node:net';
import { answer } from '../processes/answer.js';
import { numberOf } from '../processes/messages.js';
import { signToken, tokenPlanOf } from './tokens.js';
import { upgradeRequest } from './wire.js';

/** How many handshakes run at once. */
const HANDSHAKES = 100;

let sockets: Socket[] = [];

answer({
  /** Opens `count` connections that read everything and check nothing: the server may close them. */
  async connect(fields) {
    const port = numberOf(fields, 'port');
    const count = numberOf(fields, 'count');
    const plan = tokenPlanOf(fields);
    for (let opened = 0; opened < count; opened += HANDSHAKES) {
      const group = Array.from({ length: Math.min(HANDSHAKES, count - opened) }, (_, index) => {
        return open(port, plan && signToken(plan, opened + index));
      });
      await Promise.all(group);
    }
    return {};
  },

  disconnect() {
    for (const socket of sockets) socket.resetAndDestroy();
    sockets = [];
    return {};
  },
});

function open(port: number, token: string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    sockets.push(socket);
    socket.write(upgradeRequest(port, '/events', { token }));
    socket.on('error', reject);
    socket.once('data', (head) => {
      const text = head.toString('latin1');
      if (text.startsWith('HTTP/1.1 101')) resolve();
      else reject(new Error(`not accepted: ${text.slice(0, 200)}`));
      socket.resume();
    });
  });
}
