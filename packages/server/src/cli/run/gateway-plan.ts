import { PregonError } from '@pregon/protocol';
import type { Configuration, RouteConfiguration } from '../../config/configuration.js';
import { ROUTE_NAME } from '../../config/route-name.js';
import type { QueueName } from '../../core/ports/work-queue.js';
import type { Flags } from '../flags.js';
import { addSnapshots } from './snapshot-flag.js';

/** What a gateway serves, from flags and configuration combined. */
export interface GatewayPlan {
  readonly routes: Readonly<Record<string, RouteConfiguration>>;
  readonly exchanges: readonly string[];
  readonly queues: readonly QueueName[];
}

/** @throws PregonError ROUTE_UNKNOWN | CONFIG_INVALID */
export function planGateway(flags: Flags, configuration: Configuration): GatewayPlan {
  const routes = addSnapshots(chooseRoutes(flags, configuration), flags.list('snapshot'));
  const named = flags.has('exchange') ? flags.list('exchange') : (configuration.exchanges ?? []);
  const { exchanges, queues } = splitQueues(named);
  if (exchanges.length === 0) {
    throw new PregonError(
      'CONFIG_INVALID',
      `no exchange: name one with --exchange=NAME${inFile(configuration, 'exchanges')}`,
    );
  }
  for (const [name, route] of Object.entries(routes)) {
    const missing = route.exchanges?.find((exchange) => !exchanges.includes(exchange));
    if (missing === undefined) continue;
    const message = `route "${name}" carries the exchange "${missing}", which the gateway does not read; it reads ${exchanges.join(', ')}`;
    throw new PregonError('CONFIG_INVALID', message);
  }
  return { routes, exchanges, queues };
}

/** Reads `my_events` and `my_events:workers`, an exchange and a queue at it. */
export function splitQueues(named: readonly string[]): Pick<GatewayPlan, 'exchanges' | 'queues'> {
  const parts = named.map((name) => {
    const [exchange = '', queue, ...rest] = name.split(':');
    if (exchange === '' || queue === '' || rest.length > 0) {
      throw new PregonError('CONFIG_INVALID', `"${name}" is not an exchange: write EXCHANGE or EXCHANGE:QUEUE`);
    }
    return { exchange, queue };
  });
  return {
    exchanges: [...new Set(parts.map(({ exchange }) => exchange))],
    queues: parts.flatMap(({ exchange, queue }) => (queue === undefined ? [] : [{ exchange, queue }])),
  };
}

function chooseRoutes(flags: Flags, configuration: Configuration): Record<string, RouteConfiguration> {
  const configured = Object.keys(configuration.routes);
  const named = flags.list('route');
  const names = named.length > 0 ? named : configured;
  if (names.length === 0) {
    const message = `no route: name one with --route=NAME${inFile(configuration, 'websocket.routes')}`;
    throw new PregonError('CONFIG_INVALID', message);
  }
  const broadcast = flags.has('broadcast') ? { broadcast: true } : {};
  const chosen = names.map((name) => {
    const route = chooseRoute(name, configuration);
    const compression = flags.has('compress') ? { compression: route.compression || true } : {};
    return [name, { ...route, ...broadcast, ...compression }] as const;
  });
  return Object.fromEntries(chosen);
}

function chooseRoute(name: string, { file, routes }: Configuration): RouteConfiguration {
  const configured = Object.keys(routes);
  const route = Object.hasOwn(routes, name) ? routes[name] : undefined;
  if (route) return route;
  if (configured.length > 0) {
    throw new PregonError(
      'ROUTE_UNKNOWN',
      `there is no route "${name}" in ${file}; the routes are ${configured.join(', ')}`,
    );
  }
  if (!ROUTE_NAME.test(name)) {
    throw new PregonError(
      'CONFIG_INVALID',
      `"${name}" is not a valid route name: use letters, digits, "_", "-" and ".", and start with a letter or a digit`,
    );
  }
  return { path: `/${name}`, handlerFiles: [] };
}

function inFile({ file }: Configuration, key: string): string {
  return `, or under ${key} in ${file ?? 'a configuration file'}`;
}
