import { describe, expect, it } from 'vitest';
import { sentence } from '../src/page/words.js';

describe('a reason that the page shows', () => {
  it.each([
    ['the gateway is going away', 'The gateway is going away.'],
    ['Already a sentence.', 'Already a sentence.'],
    ['is the gateway running there?', 'Is the gateway running there?'],
    [
      'ws://localhost:1234/events refused the connection (403)',
      'ws://localhost:1234/events refused the connection (403).',
    ],
    ['localhost:1234 does not answer', 'localhost:1234 does not answer.'],
    ['  ', ''],
  ])('is made a sentence: %s', (text, expected) => {
    expect(sentence(text)).toBe(expected);
  });
});
