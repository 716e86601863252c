import { createGateway, type Gateway, type RouteOptions } from 'pregon';
import { ISSUER } from '../load/tokens.js';
import { answer } from '../processes/answer.js';
import { type Fields, textOf } from '../processes/messages.js';

/** The rules that a benchmark can choose. */
const RULES: Readonly<Record<string, RouteOptions['allow']>> = {
  equal: [{ subscribe: 'price.#' }],
  own: [{ subscribe: 'price.{sub}.#' }],
};

let gateway: Gateway | undefined;

answer({
  /** Starts a complete gateway on the log at `log`; with tokens and rules if `rules` names some. */
  async listen(fields) {
    const allow = RULES[textOf(fields, 'rules')];
    gateway = await createGateway({
      log: textOf(fields, 'log'),
      exchanges: ['bench'],
      routes: { events: { path: '/events', ...(allow ? { allow } : {}) } },
      ...(allow ? { auth: { issuers: [issuerOf(fields)], leewayMs: 0 } } : {}),
    });
    const { port } = await gateway.listen({ port: 0 });
    return { port };
  },
  connections() {
    return { count: gateway?.connections('events').count ?? 0 };
  },
});

function issuerOf(fields: Fields) {
  const key = textOf(fields, 'key');
  return textOf(fields, 'algorithm') === 'HS256'
    ? { issuer: ISSUER, secret: key }
    : { issuer: ISSUER, publicKey: key, algorithms: ['ES256'] };
}
