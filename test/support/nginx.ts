import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { afterTest } from './cleanup.js';
import { isHidden, isRequired } from './machine.js';
import { stablePort } from './ports.js';
import { eventually } from './waiting.js';

const PROGRAM = '/usr/sbin/nginx';

const installed = existsSync(PROGRAM) && !isHidden('nginx');

/**
 * A suite that needs nginx. If nginx is not installed, the suite is skipped and says so, unless everything is required.
 */
export function describeWithNginx(name: string, suite: () => void): void {
  if (installed || isRequired) describe(name, suite);
  else describe.skip(`${name} (skipped: install nginx, apt-get install nginx-light)`, suite);
}

/** An nginx with its own port and folder in front of a server; it ends after the test. */
export class Nginx {
  readonly port: number;
  readonly #folder: string;
  #process: ChildProcess | undefined;

  /** @param location directives for `location / { … }`, in addition to `proxy_pass` */
  static async start(upstream: number, location: string): Promise<Nginx> {
    const nginx = new Nginx(await stablePort(), upstream, location);
    await nginx.start();
    return nginx;
  }

  private constructor(port: number, upstream: number, location: string) {
    this.port = port;
    this.#folder = mkdtempSync(join(tmpdir(), 'pregon-nginx-'));
    afterTest(() => rmSync(this.#folder, { recursive: true, force: true }));
    writeFileSync(
      join(this.#folder, 'nginx.conf'),
      // One process in the foreground, as the user of the tests.
      `daemon off;
master_process off;
pid nginx.pid;
error_log error.log;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://127.0.0.1:${upstream};
      ${location}
    }
  }
}
`,
    );
  }

  /** Starts or restarts nginx; resolves when it accepts connections. */
  async start(): Promise<void> {
    const child = spawn(PROGRAM, ['-p', this.#folder, '-c', 'nginx.conf', '-e', 'error.log'], { stdio: 'ignore' });
    this.#process = child;
    afterTest(() => child.kill('SIGKILL'));
    await eventually(
      async () => {
        if (child.exitCode !== null) throw new Error(`nginx ended: ${readFileSync(join(this.#folder, 'error.log'))}`);
        return isReachable(this.port);
      },
      (reached) => reached,
    );
  }

  async kill(): Promise<void> {
    const child = this.#process;
    if (!child) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  http(path: string): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }
}

function isReachable(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const settle = (reached: boolean) => {
      socket.destroy();
      resolve(reached);
    };
    socket.once('connect', () => settle(true)).once('error', () => settle(false));
  });
}
