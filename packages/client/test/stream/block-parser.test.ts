import { describe, expect, it } from 'vitest';
import { type Block, BlockParser } from '../../src/stream/block-parser.js';

function parse(pieces: readonly string[], lastEventId = ''): Block[] {
  const parser = new BlockParser(lastEventId);
  return pieces.flatMap((piece) => parser.push(piece));
}

const STREAM = [
  '\ufeff: welcome\n\n',
  'id: 1\ndata: a\n\n',
  'data:b\r\ndata: c\r\ndata\r\n\r\n',
  'event: closing\rdata:  d\r\r',
  'id: 2\n\n',
  'id: 3\0\ndata: e\n\n',
  'retry: 250\n\n',
  'retry: soon\nunknown: x\ndata\n\n',
  'event: lost\n\n',
  'id\ndata: f\n\n',
  'data: \ud83e\udd8a\n\ndata: never complete\n',
].join('');

const BLOCKS = [
  { type: 'message', data: 'a', lastEventId: '1' },
  { type: 'message', data: 'b\nc\n', lastEventId: '1' },
  { type: 'closing', data: ' d', lastEventId: '1' },
  { type: 'message', data: undefined, lastEventId: '2' },
  { type: 'message', data: 'e', lastEventId: '2' },
  { type: 'message', data: undefined, lastEventId: '2', retryMs: 250 },
  { type: 'message', data: '', lastEventId: '2' },
  { type: 'message', data: 'f', lastEventId: '' },
  { type: 'message', data: '\ud83e\udd8a', lastEventId: '' },
];

describe('[H-04] An event stream', () => {
  it('is parsed as the HTML standard says', () => {
    expect(parse([STREAM])).toEqual(BLOCKS.map((block) => ({ retryMs: undefined, ...block })));
  });

  it('means the same in whatever pieces it arrives', () => {
    const whole = parse([STREAM]);
    for (let at = 0; at <= STREAM.length; at++) {
      expect(parse([STREAM.slice(0, at), STREAM.slice(at)]), `split at ${at}`).toEqual(whole);
    }
    expect(parse([...STREAM])).toEqual(whole);
    expect(parse([...STREAM].flatMap((character) => [character, '']))).toEqual(whole);
  });

  it('keeps the last id of an earlier stream until it has another one', () => {
    expect(parse(['data: a\n\nid: 9\ndata: b\n\n'], '8').map(({ lastEventId }) => lastEventId)).toEqual(['8', '9']);
  });

  it('takes time in proportion to its size, also in one line of many pieces', () => {
    const since = performance.now();
    const blocks = parse([...Array.from({ length: 200_000 }, (_, n) => (n === 0 ? 'data: ' : 'x')), '\n\n']);
    expect(blocks[0]?.data).toHaveLength(199_999);
    expect(performance.now() - since).toBeLessThan(5_000);
  });
});
