import type { Session } from './play.js';
import type { Action } from './recording.js';

/** A position of another log, and one in the former format of positions. */
const FOREIGN = '94e84ce75849a402039d958a133308170cg';
const FORMER = '5.0ac2xooi5p0piy';

const open = (wire: string, target: string, headers?: Record<string, string>): Action =>
  headers ? { do: 'open', wire, target, headers } : { do: 'open', wire, target };
const send = (wire: string, ...texts: string[]): Action[] => texts.map((text) => ({ do: 'send', wire, text }));
const drop = (wire: string): Action => ({ do: 'drop', wire });
const append = (...numbers: number[]): Action => ({ do: 'append', numbers });
const broadcast: Action = { do: 'broadcast', name: 'typing', data: { who: 'Ada' } };
const end: Action = { do: 'close the gateway' };

const plain: Session = {
  way: 'websocket',
  known: [],
  actions: [
    append(1, 2, 3),
    open('a', '/events?since=first'),
    open('topics', '/events?since=first&topics=b.%23'),
    append(4, 5),
    ...send('a', 'hello'),
    broadcast,
    drop('a'),
    append(6),
    open('resumed', '/events?since=«position of event-4»'),
    open('foreign', `/events?since=${FOREIGN}`),
    open('former', `/events?since=${FORMER}`),
    open('invalid', '/events?since=nonsense'),
    open('pattern', '/events?topics=a..b'),
    open('nowhere', '/nowhere'),
    open('stranger', '/events', { Origin: 'https://stranger.example' }),
    open('failing', '/events'),
    ...send('failing', 'fail'),
    end,
  ],
};

const frames: Session = {
  way: 'pregon.v1',
  known: [
    ...['welcome', 'subscribed', 'unsubscribed', 'reset', 'snapshot', 'events', 'batch', 'checkpoint', 'message'],
    ...['ack', 'error', 'draining', 'pong'],
  ],
  actions: [
    append(1, 2, 3),
    open('a', '/events'),
    ...send(
      'a',
      '{"op":"subscribe","id":1,"topics":["#"],"since":"first"}',
      '{"op":"subscribe","id":2,"topics":["b.*"]}',
    ),
    append(4, 5),
    broadcast,
    ...send(
      'a',
      '{"op":"send","id":7,"name":"echo","data":{"x":[1,"é",null]}}',
      '{"op":"send","id":8,"name":"nothing","data":1}',
      '{"op":"send","id":9,"name":"fail","data":1}',
      '{"op":"send","name":"echo","data":"nobody waits for the answer"}',
      '{"op":"ping"}',
      '{"op":"subscribe","id":1}',
      '{"op":"subscribe","id":3,"since":"nonsense"}',
      '{"op":"subscribe","id":3,"topics":["a..b"]}',
      '{"op":"subscribe","id":3,"snapshot":true}',
      '{"op":"unsubscribe","id":4}',
      'no JSON',
      '{"op":"subscribe","id":"three"}',
      '{"op":"invented by a later release"}',
      '{"op":"unsubscribe","id":2}',
    ),
    drop('a'),
    append(6),
    open('resumed', '/events'),
    ...send('resumed', '{"op":"subscribe","id":1,"since":"«position of event-4»","snapshot":false}'),
    open('reset', '/events'),
    ...send(
      'reset',
      `{"op":"subscribe","id":1,"since":"${FOREIGN}"}`,
      `{"op":"subscribe","id":2,"topics":["a.#"],"since":"${FORMER}","later":"a field of a later release"}`,
    ),
    open('rows', '/rows'),
    ...send(
      'rows',
      '{"op":"subscribe","id":0,"snapshot":true}',
      `{"op":"subscribe","id":5,"since":"${FOREIGN}","snapshot":true,"batch":true}`,
    ),
    append(7),
    open('nowhere', '/nowhere'),
    end,
  ],
};

const stream: Session = {
  way: 'sse',
  known: ['subscribed', 'snapshot', 'reset', 'ephemeral', 'refused', 'closing'],
  actions: [
    append(1, 2, 3),
    open('a', '/events?since=first'),
    append(4, 5),
    broadcast,
    drop('a'),
    append(6),
    open('resumed', '/events?since=first&topics=b.%23', { 'Last-Event-ID': '«position of event-3»' }),
    open('by query', '/events?lastEventId=«position of event-5»'),
    open('foreign', '/events', { 'Last-Event-ID': FOREIGN }),
    open('former', `/events?since=${FORMER}`),
    open('garbled', '/events', { 'Last-Event-ID': 'nonsense' }),
    open('rows', '/rows?snapshot=true'),
    append(7),
    open('invalid', '/events?since=nonsense'),
    open('pattern', '/events?topics=a..b'),
    open('no snapshot', '/events?snapshot=true'),
    open('never again', '/events', { 'Last-Event-ID': '!4501' }),
    open('nowhere', '/nowhere'),
    end,
  ],
};

const packets: Session['actions'] = [
  append(1, 2, 3),
  open('a', ''),
  ...send('a', '40/events,{"since":"first","topics":["a.#"]}'),
  append(4, 5),
  ...send(
    'a',
    '42/events,1["subscribe",{"topics":["b.#"],"since":"first"}]',
    '42/events,2["echo",{"x":[1,"é",null]}]',
    '42/events,3["nothing",1]',
    '42/events,4["fail",1]',
    '42/events,["echo","nobody waits for the answer"]',
    '42/events,5["subscribe","a.#"]',
    '42/events,6["subscribe",{"topics":["c.#"],"since":"nonsense"}]',
    '42/events,7["subscribe",{"topics":["a..b"]}]',
  ),
  append(6),
  broadcast,
  ...send('a', '42/events,8["unsubscribe",{"id":1}]'),
  append(7, 8),
  drop('a'),
  append(9),
  open('resumed', ''),
  ...send('resumed', '40/events,{"pid":"«pid of a»","offset":"«position of event-7»","names":"event"}'),
  open('types', ''),
  ...send('types', '40/events,{"since":"«position of event-7»","names":"type"}'),
  open('reset', ''),
  ...send('reset', `40/events,{"since":"${FOREIGN}"}`),
  open('rows', ''),
  ...send('rows', '40/rows,{"snapshot":true,"names":"event"}'),
  open('invalid', ''),
  ...send('invalid', '40/events,{"topics":["a..b"]}', '40/events,{"names":"all"}', '40/nowhere'),
  drop('invalid'),
  end,
];

const EMITTED = [
  ...['WasNumbered', 'event', 'subscribed', 'snapshot', 'reset', 'checkpoint', 'refused', 'draining', 'closing'],
  'typing',
];

/** The sessions that are recorded for each release: one for each way to connect a client. */
export const SESSIONS: readonly Session[] = [
  plain,
  frames,
  stream,
  { way: 'socketio-websocket', known: EMITTED, actions: packets },
  { way: 'socketio-polling', known: EMITTED, actions: packets },
];
