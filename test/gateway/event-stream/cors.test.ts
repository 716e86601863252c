import { describe, expect, it } from 'vitest';
import { startGateway } from '../../support/gateway/gateway.js';

const SHOP = 'https://shop.example';
const STREAM = { Accept: 'text/event-stream' };

/** The status and the headers that a browser checks before it shows a page the answer. */
async function ask(url: string, headers: Record<string, string>, method = 'GET') {
  const abort = new AbortController();
  const { status, headers: answered } = await fetch(url, { method, headers, signal: abort.signal });
  abort.abort();
  const value = (name: string) => answered.get(name) ?? undefined;
  return {
    status,
    origin: value('access-control-allow-origin'),
    credentials: value('access-control-allow-credentials'),
    vary: value('vary'),
    methods: value('access-control-allow-methods'),
    headers: value('access-control-allow-headers'),
  };
}

describe('A page of another origin', () => {
  it('[fault E2] can read a stream, with credentials, if its origin is allowed', async () => {
    const { http } = await startGateway({ allowedOrigins: [SHOP, 'null'] });
    const readable = { origin: SHOP, credentials: 'true', vary: 'Origin' };
    expect(await ask(http('/events'), { ...STREAM, Origin: SHOP })).toMatchObject({ status: 200, ...readable });
    const sandboxed = await ask(http('/events'), { ...STREAM, Origin: 'null' });
    expect(sandboxed).toMatchObject({ status: 200, origin: 'null', credentials: undefined });
    const foreign = await ask(http('/events'), { ...STREAM, Origin: 'https://evil.example' });
    expect(foreign).toMatchObject({ status: 403, origin: undefined, credentials: undefined, vary: 'Origin' });
  });

  it('[fault E2] can read why its request was refused', async () => {
    const { http, gateway } = await startGateway({ allowedOrigins: [SHOP] });
    const readable = { origin: SHOP, credentials: 'true', vary: 'Origin' };
    const refused: [number, string, Record<string, string>, string?][] = [
      [400, '/events?since=nonsense', STREAM],
      [404, '/nothing', STREAM],
      [405, '/events', {}, 'PUT'],
      [426, '/events', {}],
    ];
    for (const [status, path, headers, method] of refused) {
      const answer = await ask(http(path), { ...headers, Origin: SHOP }, method);
      expect(answer, path).toMatchObject({ status, ...readable });
    }
    const closing = gateway.close({ spreadMs: 0, timeoutMs: 1_000 });
    const poll = ask(http('/socket.io/?EIO=4&transport=polling'), { Origin: SHOP }).catch(() => undefined);
    // The port may already be closed, because no client is connected.
    expect([{ status: 503, ...readable }, undefined]).toContainEqual(
      await poll.then(
        (answer) =>
          answer && {
            status: answer.status,
            origin: answer.origin,
            credentials: answer.credentials,
            vary: answer.vary,
          },
      ),
    );
    await closing;
  });

  it('[fault E2] can ask by a preflight (OPTIONS) if it sends its own headers', async () => {
    const { http } = await startGateway({ allowedOrigins: [SHOP] });
    const asked = {
      'Access-Control-Request-Method': 'GET',
      'Access-Control-Request-Headers': 'authorization,cache-control,last-event-id',
    };
    expect(await ask(http('/events'), { ...asked, Origin: SHOP }, 'OPTIONS')).toEqual({
      status: 204,
      origin: SHOP,
      credentials: 'true',
      vary: 'Origin, Access-Control-Request-Headers',
      methods: 'GET',
      headers: 'authorization,cache-control,last-event-id',
    });
    const foreign = await ask(http('/events'), { ...asked, Origin: 'https://evil.example' }, 'OPTIONS');
    expect(foreign).toMatchObject({ status: 403, origin: undefined, methods: undefined });
    expect(await ask(http('/events'), { Origin: SHOP }, 'OPTIONS')).toMatchObject({ status: 405 });
    expect(await ask(http('/nothing'), { ...asked, Origin: SHOP }, 'OPTIONS')).toMatchObject({ status: 404 });
  });
});
