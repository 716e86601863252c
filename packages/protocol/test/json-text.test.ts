import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  elementsOf,
  JsonText,
  parseExactly,
  parseMembersExactly,
  stringifyExactly,
  withoutBlanks,
} from '../src/index.js';

/** JSON as other programs write it: numbers of any size and spelling, blanks, escapes, keys twice. */
const blank = fc.constantFrom('', ' ', '\n', '\r\n\t', '  ');
const number = fc.oneof(
  fc.stringMatching(/^-?(0|[1-9]\d{0,30})$/),
  fc.stringMatching(/^-?(0|[1-9]\d{0,20})\.\d{1,25}$/),
  fc.stringMatching(/^-?[1-9]\d{0,3}[eE][+-]?\d{1,3}$/),
);
const string = fc.oneof(
  fc.string({ unit: 'binary' }).map((value) => JSON.stringify(value)),
  fc.constantFrom('"\\u00e9"', '"\\/"', '"\\ud800"', '"\\\\"', '"\\""', '"{[,:]}"'),
);
const { json } = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    number,
    string,
    fc.constantFrom('true', 'false', 'null', '{}', '[ ]'),
    fc
      .tuple(blank, fc.array(tie('json'), { maxLength: 4 }))
      .map(([b, items]) => `[${b}${items.join(`${b},${b}`)}${b}]`),
    fc
      .tuple(blank, fc.array(fc.tuple(string, tie('json')), { maxLength: 4 }))
      .map(([b, members]) => `{${members.map(([key, value]) => `${b}${key}${b}:${b}${value}`).join(',')}${b}}`),
  ),
}));

/** The tokens of a JSON text, which must come out unchanged. */
function tokens(text: string): string[] {
  return text.match(/"(?:[^"\\]|\\.)*"|[^\s"[\]{},:]+|[[\]{},:]/gs) ?? [];
}

describe('[fault C5] JSON of another program', () => {
  it('is written unchanged, digit for digit, without the white space between its tokens', () => {
    fc.assert(
      fc.property(json, (text) => {
        const written = stringifyExactly({ data: parseExactly(text) });
        const value = written.slice('{"data":'.length, -1);
        if (typeof JSON.parse(text) === 'string') expect(JSON.parse(value)).toBe(JSON.parse(text));
        else expect(tokens(value)).toEqual(tokens(text));
        expect(JSON.parse(written)).toEqual({ data: JSON.parse(text) });
      }),
      { numRuns: 500 },
    );
  });

  it('is a plain value if JavaScript can hold it exactly', () => {
    for (const text of ['{"id":42}', ' [1, 2.5, "é"]', 'null', '1.1', '"\\u00e9"', '9007199254740991', '1e21']) {
      expect(parseExactly(text) instanceof JsonText || parseExactly(text)).toEqual(
        text === '1e21' ? true : JSON.parse(text),
      );
    }
  });

  it.each(['9007199254740993', '1e400', '-0', '1.10', '0.1000000000000000055', '{"a":1,"a":2}', '{"2":0,"1":0}'])(
    'is kept as text if it is %s; JSON.stringify still writes a value',
    (text) => {
      expect(parseExactly(text)).toEqual(new JsonText(text));
      expect(JSON.stringify([parseExactly(text)])).toBe(JSON.stringify([JSON.parse(text)]));
    },
  );

  it('keeps each member of an object separately', () => {
    const members = parseMembersExactly(
      ' { "id" : "1", "data": { "n": 12345678901234567890 }, "n":1, "__proto__": 1.0 } ',
    );
    expect(Object.entries(members)).toEqual([
      ['id', '1'],
      ['data', new JsonText('{"n":12345678901234567890}')],
      ['n', 1],
      ['__proto__', new JsonText('1.0')],
    ]);
    expect(stringifyExactly(members)).toBe('{"id":"1","data":{"n":12345678901234567890},"n":1,"__proto__":1.0}');
  });

  it('is refused if it is not valid JSON, or an object has a repeated member', () => {
    for (const text of ['', '{', '01', '1,2', '{"a":1}}', '\ufeff1']) {
      expect(() => parseExactly(text)).toThrow(SyntaxError);
      expect(() => new JsonText(text)).toThrow(SyntaxError);
    }
    for (const text of ['1', '[]', 'null', '"a"']) expect(() => parseMembersExactly(text)).toThrow(TypeError);
    expect(() => parseMembersExactly('{"a":1,"\\u0061":2}')).toThrow(/is there twice/);
  });
});

it('elementsOf finds the elements of arrays and objects, whatever they hold', () => {
  fc.assert(
    fc.property(fc.array(json, { maxLength: 6 }), (items) => {
      expect(elementsOf(`[${items.join(',')}]`)).toEqual(items);
      expect(elementsOf(`[ ${items.join(' , ')} ]`).map((item) => item.trim())).toEqual(
        items.map((item) => item.trim()),
      );
    }),
  );
  expect(elementsOf('{"a":[1,2],"b":{}}')).toEqual(['"a":[1,2]', '"b":{}']);
  expect([elementsOf('[]'), elementsOf('{ }')]).toEqual([[], []]);
  expect(withoutBlanks(' { "a b" : [ 1 , 2 ] } ')).toBe('{"a b":[1,2]}');
});
