import { join } from 'node:path';
import express from 'express';
import { engine } from 'express-handlebars';
import { productRoutes } from './routes/products.js';
import { viewRoutes } from './routes/views.js';

const POLICY = "default-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'";

export function createApp(products) {
  const app = express();
  app.disable('x-powered-by');
  app.engine('handlebars', engine({ helpers: { money: (price) => price?.toFixed(2) } }));
  app.set('view engine', 'handlebars');
  app.set('views', join(import.meta.dirname, 'views'));
  app.use((_request, response, next) => {
    response.set('Content-Security-Policy', POLICY);
    next();
  });
  app.use(express.static(join(import.meta.dirname, 'public'), { index: false }));
  app.use('/', viewRoutes(products));
  app.use(
    '/products',
    refuseOtherSites,
    express.json(),
    express.urlencoded({ extended: false }),
    productRoutes(products),
  );
  return app;
}

/** Refuses cross-site requests, because a form on another site could be sent to this server. */
function refuseOtherSites(request, response, next) {
  if (request.get('sec-fetch-site') === 'cross-site') return response.status(403).end();
  next();
}
