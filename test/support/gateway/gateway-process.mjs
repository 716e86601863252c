// A gateway in its own process: gateway-process.mjs <options of createGateway as JSON> <options of listen as JSON>
// It answers questions over IPC; without a channel, it serves until it is told to end.
import { createGateway } from 'pregon';
import { longestTurnMs } from './turn-probe.mjs';

const [options, listen] = process.argv.slice(2).map((text) => JSON.parse(text));
const gateway = await createGateway(options);
const { port } = await gateway.listen(listen);

const answers = {
  /** Resident memory after a full collection. */
  memory: async () => {
    for (let i = 0; i < 3; i++) {
      globalThis.gc();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return process.memoryUsage().rss;
  },
  rss: () => process.memoryUsage().rss,
  /** Bytes on the heap and in buffers after a full collection. */
  held: async () => {
    for (let i = 0; i < 3; i++) {
      globalThis.gc();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  },
  /** Closes the gateway and the IPC channel. Whatever is still open then keeps the process alive. */
  close: async (closeOptions) => {
    const begun = performance.now();
    await gateway.close(closeOptions);
    return performance.now() - begun;
  },
  connections: (route) => gateway.connections(route).count,
  longestTurn: () => longestTurnMs(),
};

process.on('message', async ({ id, name, argument }) => {
  process.send({ id, answer: await answers[name](argument) }, () => name === 'close' && process.disconnect());
});
process.send({ port });
