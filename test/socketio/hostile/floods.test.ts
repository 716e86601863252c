import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../support/cleanup.js';
import { GatewayProcess } from '../../support/gateway/gateway-process.js';
import { connectPacket, EngineSocket, PollingClient, SEPARATOR } from '../../support/socketio/engine-client.js';

const MOST_TURN_MS = 20;
const PAYLOAD_BYTES = 1_000_000;
const MOST_PACKETS = 10_000;

/** Packets of a hostile client, repeated as often as they fit. */
const PACKETS: readonly (readonly [name: string, packet: string])[] = [
  ['CONNECT to namespaces that do not exist', '40/x,'],
  ['repeated CONNECT to one namespace', '40/events,'],
  ['CONNECT with private ids and offsets', '40/events,{"pid":"a.b","offset":"c"}'],
  ['events without a handler', '42/events,["x"]'],
  ['pongs', '3'],
  ['subscribe with acknowledgements', '42/events,1["subscribe",["a.b"]]'],
  ['unsubscribe', '42/events,["unsubscribe",9]'],
  ['answers without a question', '43/events,1["x"]'],
  ['DISCONNECT', '41/events,'],
  ['headers of binary events', '451-/events,["x",{"_placeholder":true,"num":0}]'],
  ['invalid packets', 'x'],
  ['bytes without an announcement', 'bAAAA'],
];

const LARGE: readonly (readonly [name: string, packet: string])[] = [
  ['deeply nested', `42/events,["x",${'['.repeat(490_000)}${']'.repeat(490_000)}]`],
  ['nested without an end', `42/events,["x",${'['.repeat(990_000)}`],
  ['of many small values', `42/events,["x",${'{},'.repeat(330_000)}1]`],
  ['with a long number as id', `42/events,${'1'.repeat(990_000)}["x"]`],
  ['with a long namespace name', `40/${'x'.repeat(990_000)},`],
];

function start(): Promise<GatewayProcess> {
  return GatewayProcess.start({ log: `sqlite:${temporaryFolder()}/log.db` });
}

async function enter(gateway: GatewayProcess): Promise<PollingClient> {
  const client = await PollingClient.open(gateway.http(''));
  await client.say(connectPacket('/events', { topics: [] }));
  await client.packets();
  return client;
}

/** Lets the engine compile the code, and passes the first turns of the process. */
async function warmUp(gateway: GatewayProcess): Promise<void> {
  for (let n = 0; n < 3; n++) {
    const client = await enter(gateway);
    await client.push(Array.from({ length: 300 }, () => '42/events,["x",{"a":[1,2]}]').join(SEPARATOR));
    await (await client.push('1')).text();
  }
  await gateway.longestTurnMs();
}

describe('[fault A9] A payload of long polling', () => {
  it('with too many packets is answered with 413, and ends the session', async () => {
    const gateway = await start();
    const client = await enter(gateway);
    expect((await client.push('3\x1e'.repeat(MOST_PACKETS))).status).toBe(413);
    expect((await client.poll()).status).toBe(400);
  });

  it('with as many packets as a stock client may have queued is handled in order and in slices', async () => {
    const gateway = await start();
    await warmUp(gateway);
    const client = await enter(gateway);
    const packets = Array.from({ length: 900 }, (_, n) => `42/events,${n}["unsubscribe",9]`);
    await client.say(...packets);
    const answers = await client.untilPackets(900);
    expect(answers.filter((text) => text.startsWith('43')).map((text) => Number(/,(\d+)/.exec(text)?.[1]))).toEqual(
      packets.map((_, n) => n),
    );
    expect(await gateway.longestTurnMs()).toBeLessThan(MOST_TURN_MS);
  });

  it('holds up no other client, whatever its packets are', async () => {
    const gateway = await start();
    await warmUp(gateway);
    for (const [name, packet] of PACKETS) {
      for (const most of [Number.POSITIVE_INFINITY, MOST_PACKETS]) {
        const client = await enter(gateway);
        const count = Math.min(Math.floor(PAYLOAD_BYTES / (packet.length + 1)), most);
        const pushed = client.push(Array.from({ length: count }, () => packet).join(SEPARATOR)).catch(() => undefined);
        // The answer to a flood waits. The answer to a later client shows that the flood has been handled.
        const other = await enter(gateway);
        await other.say('42/events,1["unsubscribe",9]');
        await other.untilPackets(1);
        await Promise.race([pushed, new Promise((resolve) => setTimeout(resolve, 300))]);
        expect(await gateway.longestTurnMs(), name).toBeLessThan(MOST_TURN_MS);
        await Promise.all([client.push('1'), other.push('1')]).catch(() => undefined);
      }
    }
    expect(gateway.isRunning).toBe(true);
  });
});

describe('[fault A9] A packet', () => {
  it.each(LARGE)('%s holds up no other client', async (_, packet) => {
    const gateway = await start();
    await warmUp(gateway);
    const client = await enter(gateway);
    await client.push(packet).catch(() => undefined);
    const other = await enter(gateway);
    await other.say('42/events,1["unsubscribe",9]');
    await other.untilPackets(1);
    expect(await gateway.longestTurnMs()).toBeLessThan(MOST_TURN_MS);
  });

  it('with too many bytes attached ends the connection', async () => {
    const gateway = await start();
    const socket = await EngineSocket.enter(gateway.http(''), '/events');
    socket.send('459-/events,["x",{"_placeholder":true,"num":0}]');
    for (let n = 0; n < 5; n++) socket.send(Buffer.alloc(PAYLOAD_BYTES));
    await socket.whenClosed();
  });

  it('that announces more attachments than Socket.IO allows ends the connection', async () => {
    const gateway = await start();
    const socket = await EngineSocket.enter(gateway.http(''), '/events');
    socket.send('41000000-/events,["x",{"_placeholder":true,"num":0}]', '451000000-/events,["x"]');
    await socket.whenClosed();
  });

  it('that asks for one namespace too many ends the connection', async () => {
    const gateway = await start();
    const socket = await EngineSocket.enter(gateway.http(''), '/events');
    for (let n = 0; n < 1_000; n++) socket.send(`40/made-up-${n},`);
    await socket.whenClosed();
  });
});

describe('[fault A9] A flood by WebSocket', () => {
  it('holds up no other client, whatever its packets are', async () => {
    const gateway = await start();
    await warmUp(gateway);
    for (const [name, packet] of PACKETS) {
      const socket = await EngineSocket.enter(gateway.http(''), '/events', { topics: [] });
      for (let n = 0; n < MOST_PACKETS; n++) socket.send(packet);
      const other = await enter(gateway);
      await other.say('42/events,1["unsubscribe",9]');
      await other.untilPackets(1);
      expect(await gateway.longestTurnMs(), name).toBeLessThan(MOST_TURN_MS);
      socket.socket.terminate();
      await other.push('1');
    }
    expect(gateway.isRunning).toBe(true);
  });
});
