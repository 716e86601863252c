// A primary whose only worker does not confirm the connection that it is dealt. It prints how many connections the
// primary knows of, and how the client learns of the end of the worker.
import cluster from 'node:cluster';
import { connect, createServer } from 'node:net';
import { watchDealt } from '../../../packages/server/dist/private-fields/node-net.js';

if (cluster.isPrimary) {
  const worker = cluster.fork();
  const dealt = watchDealt(worker.process);
  worker.on('message', (port) => {
    const client = connect(port, '127.0.0.1');
    client.on('connect', () => {
      const look = setInterval(() => {
        if (dealt.size === 0) return;
        clearInterval(look);
        console.log(`dealt ${dealt.size}`);
        worker.process.kill('SIGKILL');
      }, 10);
    });
    client.on('error', () => {});
    client.on('close', () => console.log('client ended'));
  });
  worker.on('exit', () => {
    for (const connection of dealt.values()) connection.close();
  });
} else {
  const server = createServer();
  server.listen(0, '127.0.0.1', () => {
    process.send(server.address().port, () => {
      // The worker is suspended before the connection comes.
      process.kill(process.pid, 'SIGSTOP');
    });
  });
}
