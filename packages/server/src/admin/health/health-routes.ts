import type { AdminRoute } from '../admin-route.js';
import { HttpProblem, sendJson } from '../problem.js';

const READ = ['GET', 'HEAD'];

/**
 * `GET /health`: whether the process is alive. `GET /ready`: whether it accepts clients.
 *
 * @param notReady returns why the gateway is not ready; undefined if it is
 */
export function healthRoutes(notReady: () => string | undefined | Promise<string | undefined>): readonly AdminRoute[] {
  return [
    {
      methods: READ,
      path: '/health',
      access: 'anyone',
      answer: (_, response) => sendJson(response, 200, { status: 'alive' }),
    },
    {
      methods: READ,
      path: '/ready',
      access: 'anyone',
      async answer(_, response) {
        const reason = await notReady();
        if (reason !== undefined) throw new HttpProblem(503, reason);
        sendJson(response, 200, { status: 'ready' });
      },
    },
  ];
}
