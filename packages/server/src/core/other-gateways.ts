import { decodeBroadcast } from './broadcast.js';
import type { Ephemeral, EphemeralMember } from './ephemeral.js';
import type { Route } from './route.js';

/** Ties the connections of this gateway's routes to those of the routes of the same name on the other gateways of the log. */
export class OtherGateways {
  readonly #member: EphemeralMember;
  readonly #routes: readonly Route[];

  /**
   * Resolves when what the others broadcast from now on is heard.
   *
   * @param onFailed what another gateway sent could not be read, or not be delivered
   * @throws PregonError LOG_CLOSED
   */
  static async join(
    ephemeral: Ephemeral,
    routes: readonly Route[],
    onFailed: (error: Error) => void,
  ): Promise<OtherGateways> {
    const member = await ephemeral.join((text) => {
      try {
        deliver(text, routes);
      } catch (error) {
        onFailed(error instanceof Error ? error : new Error(String(error)));
      }
    });
    return new OtherGateways(member, routes);
  }

  private constructor(member: EphemeralMember, routes: readonly Route[]) {
    this.#member = member;
    this.#routes = routes;
    for (const { connections } of routes) connections.tellOthers = (broadcast) => member.send(broadcast);
  }

  /** What is broadcast afterwards stays in this gateway. */
  async leave(): Promise<void> {
    for (const { connections } of this.#routes) connections.tellOthers = undefined;
    await this.#member.leave();
  }
}

/** To nobody where this gateway has no route of that name. */
function deliver(text: string, routes: readonly Route[]): void {
  const { route, message } = decodeBroadcast(text);
  routes.find(({ name }) => name === route)?.connections.deliver(message);
}
