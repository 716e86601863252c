import { fileURLToPath } from 'node:url';
import express, { Router } from 'express';

/** The documentation is served from the repository, so that the page needs nothing from outside. */
const WORKSPACE = new URL('../../../', import.meta.url);

/** Serves the documentation as plain text: the README at `/docs`, the files of `docs` below it. */
export function documentationRoutes(): Router {
  const router = Router();
  const asText = { headers: { 'Content-Type': 'text/plain; charset=utf-8' } };
  router.get('/docs', (_request, response) => {
    response.sendFile(fileURLToPath(new URL('README.md', WORKSPACE)), asText);
  });
  router.use(
    '/docs',
    express.static(fileURLToPath(new URL('docs', WORKSPACE)), {
      index: false,
      redirect: false,
      setHeaders: (response, path) => {
        if (path.endsWith('.md')) response.setHeader('Content-Type', asText.headers['Content-Type']);
      },
    }),
  );
  return router;
}
