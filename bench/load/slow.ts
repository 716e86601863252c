import { connect, type Socket } from 'node:net';
import { answer } from '../processes/answer.js';
import { numberOf } from '../processes/messages.js';
import { upgradeRequest } from './wire.js';

/** The pace of a slow reader: ten times a second it reads what the stream has buffered, about 16 KB. */
const SIP_MS = 100;

let sockets: Socket[] = [];
let sipping: NodeJS.Timeout | undefined;

answer({
  /** Opens `count` connections that read the handshake response and then nothing; or slowly, if `sips` is not 0. */
  async connect(fields) {
    const port = numberOf(fields, 'port');
    sockets = await Promise.all(Array.from({ length: numberOf(fields, 'count') }, () => open(port)));
    if (numberOf(fields, 'sips') !== 0) {
      sipping = setInterval(() => {
        for (const socket of sockets) socket.read();
      }, SIP_MS);
    }
    return {};
  },

  disconnect() {
    clearInterval(sipping);
    for (const socket of sockets) socket.resetAndDestroy();
    sockets = [];
    return {};
  },
});

async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.write(upgradeRequest(port, '/events'));
  await new Promise<void>((resolve, reject) => {
    socket.once('readable', resolve);
    socket.once('error', reject);
  });
  // The reset at the end is not an error.
  socket.on('error', () => socket.destroy());
  return socket;
}
