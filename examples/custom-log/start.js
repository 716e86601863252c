import { createGateway } from 'pregon';
import { files } from './files.js';

const gateway = await createGateway({
  log: process.env['PREGON_LOG'] ?? 'files:data/log',
  logDrivers: [files()],
  routes: { events: { path: '/events' } },
});
const { port } = await gateway.listen({ port: Number(process.env['PORT'] ?? 1234) });
console.log(`running on port ${port}`);
console.log(`curl -N -H 'Accept: text/event-stream' 'http://localhost:${port}/events?since=first'`);

let said = 0;
const saying = setInterval(() => {
  gateway.publish({ exchange: 'example', topic: 'clock.ticked', type: 'ClockTicked', source: '/clock', data: ++said });
}, 1_000);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    clearInterval(saying);
    await gateway.close({ spreadMs: 0 });
  });
}
