import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import express, { Router } from 'express';
import { onlyMethods } from './problems.js';

/** Where the build puts the page: `index.html`, and in `assets` what it loads. */
const PAGE = fileURLToPath(new URL('./page', import.meta.url));

/** A name that can stand in a Content-Security-Policy, which knows no IPv6 addresses. */
const HOST_NAME = /^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/i;

export interface PageOptions {
  readonly gatewayPort: number;
  /** The path of the gateway's route. */
  readonly gatewayPath: string;
}

/**
 * Serves the page at `/` and what it loads under `/assets`. The page learns at run time where its gateway is: at the host name by
 * which it was itself opened, so `localhost` and `127.0.0.1` work alike, and its policy lets it connect there and nowhere else.
 */
export function pageRoutes({ gatewayPort, gatewayPath }: PageOptions): Router {
  const html = readFileSync(join(PAGE, 'index.html'), 'utf8');
  const router = Router();

  router
    .route('/')
    .get((request, response) => {
      const host = HOST_NAME.test(request.hostname) ? request.hostname : 'localhost';
      const gateway = `${request.secure ? 'wss' : 'ws'}://${host}:${gatewayPort}${gatewayPath}`;
      response
        .set({ 'Content-Security-Policy': contentSecurityPolicy(gateway), 'Cache-Control': 'no-cache' })
        .type('html')
        .send(html.replace('{{gateway}}', gateway));
    })
    .all(onlyMethods('GET'));

  router.use('/assets', express.static(join(PAGE, 'assets'), { index: false, redirect: false }));
  return router;
}

/**
 * Only what the page needs. Trusted Types without a policy make every way of turning a string into HTML throw, so that what
 * events carry cannot become more than text, whatever is changed in the page later.
 */
function contentSecurityPolicy(gateway: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    // By HTTP too: after an attempt that failed, the client asks the gateway why.
    `connect-src 'self' ${gateway} ${gateway.replace(/^ws/, 'http')}`,
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}
