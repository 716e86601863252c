import type { PregonEvent } from '@pregon/protocol';
import { NUMBER_DIGITS } from './events.js';

const ADJECTIVES = ['antique', 'blue', 'carved', 'double', 'early', 'faded', 'gilded', 'heavy', 'inlaid', 'large'];
const THINGS = ['armchair', 'bookcase', 'clock', 'desk', 'easel', 'fireplace', 'globe', 'harp', 'inkwell', 'jug'];
const PLACES = ['Antwerp', 'Bergen', 'Cadiz', 'Dresden', 'Edinburgh', 'Florence', 'Ghent', 'Haarlem', 'Innsbruck'];
const NAMES = ['Ada Lovelace', 'Alan Turing', 'Barbara Liskov', 'Edsger Dijkstra', 'Grace Hopper', 'Tony Hoare'];
const STATES = ['paid', 'packed', 'shipped', 'delivered'];

/**
 * An event of about 1 KB as shops have them: an order with its customer and three lines. Numbers and words are random,
 * but the same for the same number. As always in JSON, all events have the same member names.
 */
export function createOrder(number: number): PregonEvent {
  const chance = generator(number);
  const pick = (list: readonly string[]) => list[chance(list.length)] ?? '';
  const name = pick(NAMES);
  const line = () => {
    const thing = `${pick(ADJECTIVES)} ${pick(THINGS)}`;
    const id = 10_000 + chance(90_000);
    const image = `https://img.shop.example/products/${id}/large.jpg`;
    return { product: id, title: `An ${thing} from ${pick(PLACES)}`, image, quantity: 1 + chance(3), price: price() };
  };
  const price = () => ({ amount: chance(1_000_000) / 100, currency: 'EUR' });
  const id = String(number).padStart(NUMBER_DIGITS, '0');
  return {
    specversion: '1.0',
    id,
    source: '/shop',
    type: 'OrderStateWasChanged',
    subject: `order/${number}`,
    time: new Date(1_790_000_000_000 + number * 997 + chance(500)).toISOString(),
    datacontenttype: 'application/json',
    data: {
      order: number,
      state: pick(STATES),
      customer: {
        id: 1_000 + chance(9_000),
        name,
        email: `${name.toLowerCase().replace(' ', '.')}@example.com`,
        address: { street: `${pick(THINGS)} street ${1 + chance(200)}`, city: pick(PLACES), country: 'NL' },
      },
      lines: [line(), line(), line()],
      total: price(),
      note: chance(2) === 0 ? 'Please leave it with the neighbours if nobody is at home.' : 'No need to call before.',
    },
    topic: `order.${number % 1_000}.changed`,
    exchange: 'bench',
    sequence: id.padStart(16, '0'),
  };
}

/** Pseudo-random numbers below a limit, the same for the same seed (xorshift). */
function generator(seed: number): (limit: number) => number {
  let state = Math.imul(seed, 2_654_435_761) | 1;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}
