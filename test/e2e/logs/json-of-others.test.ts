import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { afterTest, temporaryFolder } from '../../support/cleanup.js';
import { FramesClient } from '../../support/gateway/frames-client.js';
import { openTestLog, startGateway } from '../../support/gateway/gateway.js';
import { readAll } from '../../support/log/recorder.js';
import { pregon, startPregon } from '../../support/processes.js';

const NUMBERS = '9007199254740993,12345678901234567890,-0,1.10,1e400,0.1000000000000000055511151231257827';

/** Values that JavaScript cannot represent, values that it would write in another way, and plain ones. */
const JSON_OF_OTHERS = [
  `[${NUMBERS}]`,
  '12345678901234567890',
  '{"id":9007199254740993,"dup":1,"dup":2,"2":0,"1":0}',
  '{"text":"\\u00e9\\ud800 , [ { \\" \\\\","n":-1e-400}',
  '{}',
];

/** The same values with blanks between their tokens. */
const SPREAD = JSON_OF_OTHERS.map((text) => text.replaceAll(/([[{,:](?![^"]*[ ]))(?=[\d"-])/g, '$1 \t'));

const NOT_UTF8 = Buffer.concat([Buffer.from('{"type":"T","data":"'), Buffer.from([0xe9, 0xff]), Buffer.from('"}')]);

/** The text of the data of each event in a log. */
async function dataIn(logFile: string): Promise<string[]> {
  const log = await openTestLog(logFile);
  return (await readAll(log)).map(({ payload }) => {
    const text = Buffer.from(payload).toString('utf8');
    return text.slice(text.indexOf('"data":') + '"data":'.length, text.search(/,"(topic|exchange)":/));
  });
}

describe('[fault C5] JSON that JavaScript cannot represent stays as it was written', () => {
  it('if pregon publish reads it, from standard input or as an argument', async () => {
    const file = join(temporaryFolder(), 'log.db');
    const line = ['publish', 'e', 'a.b', '--type=T', `--log=sqlite:${file}`];
    const { code, stderr } = await pregon(line, { input: `\ufeff${SPREAD.join('\r\n')}` });
    expect([code, stderr]).toEqual([0, `${SPREAD.length} events stored\n`]);
    expect((await pregon([...line, JSON_OF_OTHERS[0] ?? ''])).code).toBe(0);
    expect(await dataIn(file)).toEqual([...JSON_OF_OTHERS, JSON_OF_OTHERS[0]]);
  });

  it('if it comes over HTTP, bare or as a CloudEvent with extra attributes', async () => {
    const file = join(temporaryFolder(), 'log.db');
    const flags = ['--route=events', '--exchange=e', `--log=sqlite:${file}`, '--http-port=0'];
    const gateway = startPregon(['run', '127.0.0.1:0', ...flags], { env: { PREGON_HTTP_TOKEN: 't' } });
    const [, http = ''] = await gateway.until(/ {2}http +(\S+)\n/);
    const post = async (body: string | Uint8Array<ArrayBuffer>, type = 'application/json') => {
      const headers = { authorization: 'Bearer t', 'content-type': type };
      const answer = await fetch(`${http}/publish/e/a.b`, { method: 'POST', headers, body });
      const { detail } = await answer.json();
      return { status: answer.status, detail };
    };
    for (const data of SPREAD) expect(await post(`\ufeff{"type":"T", "data": ${data}}`)).toMatchObject({ status: 201 });
    const cloudEvent = `{"specversion":"1.0","id":"1","source":"/","type":"T","n": 1.0,"data":${SPREAD[0]}}`;
    expect((await post(cloudEvent, 'application/cloudevents+json')).status).toBe(201);
    // [fault C8] Data that no entrance accepts is refused with a reason.
    const refused: [string | Uint8Array<ArrayBuffer>, RegExp][] = [
      [NOT_UTF8, /not UTF-8/],
      [Buffer.from('{"type":"T","data":1}', 'utf16le'), /JSON/],
      ['{"type":"T","data":1,"data":2}', /"data" is there twice/],
      [`{"type":"T","data":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, /nested too deeply/],
      ['{"type":12345678901234567890}', /type/],
      ['[]', /not a JSON object/],
    ];
    for (const [body, detail] of refused) {
      expect(await post(body)).toEqual({ status: 400, detail: expect.stringMatching(detail) });
    }
    const stored = await dataIn(file);
    expect(stored).toEqual([...JSON_OF_OTHERS, JSON_OF_OTHERS[0]]);
    const log = await openTestLog(file);
    const last = (await readAll(log)).at(-1);
    expect(Buffer.from(last?.payload ?? []).toString()).toContain('"n":1.0,');
  });

  it('if it comes from a snapshot URL', async () => {
    const rows = SPREAD.filter((text) => text.startsWith('{'));
    const application = createServer((_, response) =>
      response.end(`{ "rows": [ ${rows.join(' , ')} ], "sequence": 0 }`),
    );
    await once(application.listen(0, '127.0.0.1'), 'listening');
    afterTest(() => application.close());
    const address = application.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const { ws } = await startGateway({
      routes: { events: { path: '/events', snapshot: `http://127.0.0.1:${port}/` } },
    });
    const client = await FramesClient.open(ws('/events'));
    const frame = new Promise<string>((resolve) => {
      client.socket.on('message', (data) => {
        const text = data.toString();
        if (text.includes('"op":"snapshot"')) resolve(text);
      });
    });
    await client.subscribe({ id: 1, snapshot: true });
    const exact = JSON_OF_OTHERS.filter((text) => text.startsWith('{'));
    expect(await frame).toContain(`"rows":[${exact.join(',')}]`);
  });
});

describe('[fault C8] Bytes that are not UTF-8', () => {
  it('end pregon publish with exit code 1 and the number of the line; the events before it are stored', async () => {
    const file = join(temporaryFolder(), 'log.db');
    const line = ['publish', 'e', 'a.b', '--type=T', `--log=sqlite:${file}`];
    const input = Buffer.concat([Buffer.from('1\n\n"é"\n'), Buffer.from([0x22, 0xe9, 0x22]), Buffer.from('\n4\n')]);
    const { code, stderr } = await pregon(line, { input });
    expect([code, stderr]).toEqual([1, 'pregon: line 4 is not UTF-8; 2 events stored before (EVENT_INVALID)\n']);
    expect(await dataIn(file)).toEqual(['1', '"é"']);
  });
});
