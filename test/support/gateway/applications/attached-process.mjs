// An application with an attached gateway, in its own process: attached-process.mjs <how as JSON>
//   how.early: the gateway is not ready before the message "build" comes
//
// It reports its port over IPC. It catches no errors, so the first uncaught one ends it.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { attachGateway } from 'pregon';

const { log, early = false } = JSON.parse(process.argv[2]);
const told = new Promise((resolve) => process.on('message', (said) => said === 'build' && resolve({})));
const server = createServer((_request, response) => response.end('app'));
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const attaching = attachGateway(server, {
  log,
  routes: { events: { path: '/events', handlers: [async () => (early ? await told : {})] } },
});
if (!early) {
  const gateway = await attaching;
  gateway.mount('/chat/:room', { onOpen() {}, onMessage() {}, onClose() {}, onError() {} });
}
process.send({ port: server.address().port });
await attaching;
process.send({ ready: true });
