import { type DiscoveryService, Reflector } from '@nestjs/core';
import type { GatewayMetadata } from '@nestjs/websockets';
import type { GatewayOptions } from 'pregon';

export type SocketIoOptions = Exclude<GatewayOptions['socketIo'], false | undefined>;

// The names under which `@WebSocketGateway` of Nest 11 and 12 keeps what it is given; Nest exports them in another place each.
const IS_GATEWAY = 'websockets:is_gateway';
const OPTIONS = 'websockets:gateway_options';

/** What is not an option of the server: where a gateway is on it, and what the gateway of Pregon brings itself. */
const NOT_OF_THE_SERVER: readonly string[] = ['namespace', 'adapter', 'connectionStateRecovery', 'parser'];

/**
 * The options of Socket.IO that the application's classes have in their `@WebSocketGateway(…)`. There is one server: as in Nest, the first
 * class that names an option has the last word.
 *
 * @throws TypeError where two classes name different paths, since one of them would not be reached
 */
export function decoratedOptions(discovery: DiscoveryService): SocketIoOptions {
  const merged: Record<string, unknown> = {};
  for (const gateway of decoratedGateways(discovery)) {
    const path = gateway.path ?? merged['path'];
    if (merged['path'] !== undefined && path !== merged['path']) {
      throw new TypeError(`two gateways name different paths, ${String(merged['path'])} and ${String(path)}`);
    }
    for (const [name, value] of Object.entries(gateway)) {
      if (!NOT_OF_THE_SERVER.includes(name)) merged[name] ??= value;
    }
  }
  return merged;
}

/** Whether a class names origins, which are the module's to name. */
export function namesOrigins(discovery: DiscoveryService): boolean {
  return decoratedGateways(discovery).some(({ cors }) => cors !== undefined);
}

function decoratedGateways(discovery: DiscoveryService): GatewayMetadata[] {
  const reflector = new Reflector();
  return discovery.getProviders().flatMap(({ metatype }) => {
    if (typeof metatype !== 'function' || !reflector.get<boolean | undefined>(IS_GATEWAY, metatype)) return [];
    return [reflector.get<GatewayMetadata | undefined>(OPTIONS, metatype) ?? {}];
  });
}
