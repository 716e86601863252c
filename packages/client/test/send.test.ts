import { describe, expect, it } from 'vitest';
import { Requests } from '../src/connection/requests.js';
import { FakeClock } from './support/fake-clock.js';
import { harness } from './support/harness.js';

describe('send', () => {
  it('[003-20] resolves with the answer of the handler', async () => {
    const { client, online } = await harness();
    const socket = await online();
    const answer = client.send('bid', { amount: 7 });
    expect(socket.sent).toEqual([{ op: 'send', id: 1, name: 'bid', data: { amount: 7 } }]);
    socket.deliver({ op: 'ack', id: 1, data: { highest: true } });
    expect(await answer).toEqual({ highest: true });
  });

  it('rejects with the error code of the answer', async () => {
    const { client, errors, online } = await harness();
    const socket = await online();
    const unknown = client.send('nothing');
    const later = client.send('later');
    socket.deliver({ op: 'error', id: 1, code: 'MESSAGE_UNKNOWN', message: 'no handler', retryable: false });
    socket.deliverText('{"op":"error","id":2,"code":"OF_2031","message":"what","retryable":false}');
    await expect(unknown).rejects.toMatchObject({ code: 'MESSAGE_UNKNOWN', message: 'no handler' });
    await expect(later).rejects.toMatchObject({ code: 'HANDLER_FAILED', message: 'OF_2031: what' });
    expect(errors).toEqual([]);
  });

  it('rejects at once without a connection, since nothing is queued', async () => {
    const { client, online } = await harness();
    await expect(client.send('bid', 1)).rejects.toMatchObject({ code: 'CONNECTION_LOST', retryable: true });
    expect(client.notify('bid', 1)).toBe(false);
    const socket = await online();
    expect(socket.sent).toEqual([]);
    client.close();
    await expect(client.send('bid', 1)).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  });

  it('rejects if the connection is lost before the answer', async () => {
    const { client, clock, online } = await harness();
    const socket = await online();
    const answer = client.send('bid', 1);
    socket.lose();
    await expect(answer).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    client.close();
    expect(clock.pending).toBe(0);
  });

  it('rejects if no answer comes in time, and drops a late answer', async () => {
    const { client, clock, errors, online } = await harness();
    const socket = await online();
    const answer = client.send('slow', 1, { timeoutMs: 2_000 });
    const failed = expect(answer).rejects.toMatchObject({ code: 'TIMEOUT' });
    await clock.advance(2_000);
    await failed;
    socket.deliver({ op: 'ack', id: 1 }, { op: 'error', id: 1, code: 'FORBIDDEN', message: '', retryable: false });
    expect(errors).toEqual([]);
    expect(client.state).toBe('online');
  });

  it('shares one range of ids with subscriptions', async () => {
    const { client, online } = await harness();
    const socket = await online();
    client.subscribe({ onEvent: () => {} });
    const answer = client.send('bid');
    socket.deliver({ op: 'ack', id: 2, data: 'sent' });
    expect(await answer).toBe('sent');
    expect(socket.sent).toMatchObject([{ id: 1 }, { id: 2 }]);
  });

  it('refuses a frame that is too large before sending it, since the gateway would end the connection for good', async () => {
    const { client, online } = await harness({ maxFrameBytes: 100 });
    const socket = await online();
    const euros = '€'.repeat(30);
    await expect(client.send('text', euros)).rejects.toMatchObject({ code: 'FRAME_TOO_LARGE' });
    expect(() => client.notify('text', euros)).toThrow(expect.objectContaining({ code: 'FRAME_TOO_LARGE' }));
    expect(client.notify('text', 'e'.repeat(40))).toBe(true);
    expect(socket.sent).toEqual([{ op: 'send', name: 'text', data: 'e'.repeat(40) }]);
  });

  it('rejects invalid arguments', async () => {
    const { client, online } = await harness();
    await online();
    await expect(client.send('bid', 1, { timeoutMs: 0 })).rejects.toThrow(RangeError);
    await expect(client.send('bid', 1n)).rejects.toThrow(TypeError);
  });
});

describe('requests', () => {
  it('are released after the answer', async () => {
    const requests = new Requests(new FakeClock());
    const answer = requests.answer(1, 'bid', 1_000);
    requests.acknowledged(1, 'first');
    expect(requests.refused(1, { op: 'error', id: 1, code: 'FORBIDDEN', message: '', retryable: false })).toBe(false);
    expect(await answer).toBe('first');
  });
});

describe('onMessage', () => {
  it('[001-01] calls the handler with the messages of its name, until it is removed', async () => {
    const { client, errors, online } = await harness();
    const socket = await online();
    const seen: unknown[] = [];
    client.onMessage('typing', () => {
      throw new Error('broken');
    });
    const stop = client.onMessage('typing', (data) => seen.push(data));
    socket.deliver({ op: 'message', name: 'typing', data: 1 }, { op: 'message', name: 'cursor', data: 2 });
    stop();
    socket.deliver({ op: 'message', name: 'typing', data: 3 });
    expect(seen).toEqual([1]);
    expect(errors.map(({ code }) => code)).toEqual(['HANDLER_FAILED', 'HANDLER_FAILED']);
  });
});

describe('errors', () => {
  it('that belong to no request go to the error handlers', async () => {
    const { errors, online } = await harness();
    (await online()).deliver({ op: 'error', code: 'OP_UNKNOWN', message: 'unknown op', retryable: false });
    expect(errors).toMatchObject([{ code: 'OP_UNKNOWN', message: 'unknown op' }]);
  });

  it('are thrown for a listener of an unknown event', async () => {
    const { client } = await harness();
    const name: string = 'stat';
    expect(() => Reflect.apply(client.on, client, [name, () => {}])).toThrow(TypeError);
    expect(() => Reflect.apply(client.on, client, ['state', 'no function'])).toThrow(TypeError);
  });
});
