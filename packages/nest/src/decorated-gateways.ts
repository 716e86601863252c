import { type DiscoveryService, Reflector } from '@nestjs/core';
import type { GatewayMetadata } from '@nestjs/websockets';
import type { GatewayOptions } from 'pregon';

export type SocketIoOptions = Exclude<GatewayOptions['socketIo'], false | undefined>;

// The metadata keys of `@WebSocketGateway` in Nest 11 and 12. Each version exports them from a different place.
const IS_GATEWAY = 'websockets:is_gateway';
const OPTIONS = 'websockets:gateway_options';

/** Options that are not passed to the server: the namespace of a class, and what the Pregon gateway sets itself. */
const NOT_OF_THE_SERVER: readonly string[] = ['namespace', 'adapter', 'connectionStateRecovery', 'parser'];

/**
 * Merges the Socket.IO options from each `@WebSocketGateway(…)` of the application. There is one Socket.IO server. As
 * in Nest, the first class that sets an option wins.
 *
 * @throws TypeError if two classes give different paths, because clients could not reach one of them
 */
export function decoratedOptions(discovery: DiscoveryService): SocketIoOptions {
  const merged: Record<string, unknown> = {};
  for (const gateway of decoratedGateways(discovery)) {
    const path = gateway.path ?? merged['path'];
    if (merged['path'] !== undefined && path !== merged['path']) {
      throw new TypeError(
        `two gateways have different paths, ${String(merged['path'])} and ${String(path)}: use one path for all`,
      );
    }
    for (const [name, value] of Object.entries(gateway)) {
      if (!NOT_OF_THE_SERVER.includes(name)) merged[name] ??= value;
    }
  }
  return merged;
}

/** Whether a class sets `cors`. Allowed origins are an option of the module instead. */
export function namesOrigins(discovery: DiscoveryService): boolean {
  return decoratedGateways(discovery).some(({ cors }) => cors !== undefined);
}

/**
 * The namespaces of the application's gateways that no client may enter: with `auth`, a namespace needs a line in
 * `namespaces`, unless it is the path of a route. Namespaces by pattern are left out.
 */
export function closedNamespaces(
  discovery: DiscoveryService,
  { auth, namespaces = {}, routes = {} }: Pick<GatewayOptions, 'auth' | 'namespaces' | 'routes'>,
): string[] {
  if (!auth) return [];
  const open = new Set([...Object.keys(namespaces), ...Object.values(routes).map(({ path }) => path)]);
  const used = decoratedGateways(discovery).flatMap(({ namespace = '/' }) =>
    typeof namespace === 'string' ? [namespace.startsWith('/') ? namespace : `/${namespace}`] : [],
  );
  return [...new Set(used)].filter((namespace) => !open.has(namespace));
}

function decoratedGateways(discovery: DiscoveryService): GatewayMetadata[] {
  const reflector = new Reflector();
  return discovery.getProviders().flatMap(({ metatype }) => {
    if (typeof metatype !== 'function' || !reflector.get<boolean | undefined>(IS_GATEWAY, metatype)) return [];
    return [reflector.get<GatewayMetadata | undefined>(OPTIONS, metatype) ?? {}];
  });
}
