import express, { type Express, type RequestHandler } from 'express';
import { documentationRoutes } from './documentation.js';
import { answerProblems, notFound, onlyMethods } from './problems.js';
import { type PageOptions, pageRoutes } from './static.js';
import { userRoutes } from './users/routes.js';
import type { UserStore } from './users/store.js';

export interface AppParts {
  readonly users: UserStore;
  /** Reads all users and the matching point in the events, as one consistent snapshot. */
  readonly snapshotOfUsers: () => Promise<object>;
  /** Reports the health of the application; throws if it cannot read its database. */
  readonly health: () => Promise<object>;
  /** Reads the facts that the page shows about the application. */
  readonly status: () => Promise<object>;
  readonly page: PageOptions;
  readonly logError: (error: unknown) => void;
}

/** The HTTP application. It has no port, files or process of its own; all parts are passed in. */
export function createApp({ users, snapshotOfUsers, health, status, page, logError }: AppParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(securityHeaders);
  app.use(express.json({ limit: '64kb', strict: false }));

  app.use(pageRoutes(page));
  app.use(documentationRoutes());
  app.use(userRoutes(users));
  app
    .route('/snapshots/users')
    .get(async (_request, response) => {
      response.set('Cache-Control', 'no-store').json(await snapshotOfUsers());
    })
    .all(onlyMethods('GET'));
  app
    .route('/health')
    .get(async (_request, response) => {
      response.set('Cache-Control', 'no-store').json({ status: 'ok', ...(await health()) });
    })
    .all(onlyMethods('GET'));
  app
    .route('/status')
    .get(async (_request, response) => {
      response.set('Cache-Control', 'no-store').json(await status());
    })
    .all(onlyMethods('GET'));

  app.use(notFound);
  app.use(answerProblems(logError));
  return app;
}

const securityHeaders: RequestHandler = (_request, response, next) => {
  response.set({
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
  });
  next();
};
