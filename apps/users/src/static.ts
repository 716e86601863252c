import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import express, { Router } from 'express';
import { onlyMethods } from './problems.js';

/** The folder of the built page: `index.html`, and its assets in `assets`. */
const PAGE = fileURLToPath(new URL('./page', import.meta.url));

/** A host name that is valid in a Content-Security-Policy, which does not support IPv6 addresses. */
const HOST_NAME = /^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/i;

export interface PageOptions {
  readonly gatewayPort: number;
  /** The path of the gateway's route. */
  readonly gatewayPath: string;
}

/**
 * Serves the page at `/` and its assets under `/assets`. The page gets the address of its gateway at run time: the host
 * name is the one in the request, so both `localhost` and `127.0.0.1` work. Its policy allows connections only to that
 * gateway and to the application.
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
 * Allows only what the page needs. Trusted Types without a policy make every conversion of a string into HTML throw. So
 * data in events stays text, even after later changes of the page.
 */
function contentSecurityPolicy(gateway: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    // HTTP too, because after a failed attempt the client asks the gateway for the reason.
    `connect-src 'self' ${gateway} ${gateway.replace(/^ws/, 'http')}`,
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}
