import { join } from 'node:path';
import type { PregonModuleOptions } from '@pregon/nest';
import { afterTest, temporaryFolder } from '../../../../test/support/cleanup.js';
import type { App, BootOptions } from '../apps/boot.js';

/** The exports of the applications, for any version of Nest. */
export type Apps = typeof import('../apps/boot.js');

/** Options of a gateway with its own log and one route. */
export function gatewayOptions(options: Partial<PregonModuleOptions> = {}): PregonModuleOptions {
  const log = `sqlite:${join(temporaryFolder(), 'log.db')}`;
  return { log, routes: { events: { path: '/events' } }, shutdown: { spreadMs: 0 }, ...options };
}

/** Runs an application until the test ends. */
export async function running(
  apps: Apps,
  { gateway = {}, ...options }: Omit<BootOptions, 'gateway'> & { gateway?: Partial<PregonModuleOptions> } = {},
): Promise<App> {
  const app = await apps.boot({ ...options, gateway: gatewayOptions(gateway) });
  afterTest(() => app.close());
  return app;
}
