import { randomUUID } from 'node:crypto';

const MAX_AMOUNT = 1_000_000_000;
const MAX_NAME = 60;

/** Of the application's own range; 4500 and above says: do not come back. */
const SOLD = { code: 4900, reason: 'sold', reconnect: false };

/** One auction, open until nobody has bid more for some time. */
export class Auction {
  id = randomUUID();
  #item;
  #seconds;
  #gateway;
  #highest;
  #sold = false;
  #hammer;
  /** Bids are weighed one after the other. */
  #weighed = Promise.resolve();

  constructor({ item, seconds }) {
    this.#item = item;
    this.#seconds = seconds;
  }

  get state() {
    return { item: this.#item, highest: this.#highest ?? null, sold: this.#sold };
  }

  /** What comes in over the route, by whatever transport. */
  get handlers() {
    return {
      opened: (connection) => {
        if (this.#sold) this.#sendAway(connection);
      },
      messages: {
        bid: (_connection, bid) => this.#bid(bid),
      },
    };
  }

  open(gateway) {
    this.#gateway = gateway;
  }

  #bid(bid) {
    const answer = this.#weighed.then(() => this.#weigh(bid));
    this.#weighed = answer.catch(() => {});
    return answer;
  }

  async #weigh(bid) {
    if (this.#sold) return { refused: 'It is sold.' };
    if (!isBid(bid)) return { refused: 'A bid is a name, and an amount of more than 0.' };
    const { bidder, amount } = bid;
    if (amount <= (this.#highest?.amount ?? 0)) return { refused: `The highest bid is ${this.#highest.amount}.` };
    const data = { number: (this.#highest?.number ?? 0) + 1, bidder, amount, at: Date.now() };
    await this.#publish('bid', 'BidWasPlaced', data);
    this.#highest = data;
    clearTimeout(this.#hammer);
    this.#hammer = setTimeout(() => this.#fall(data.number), this.#seconds * 1_000).unref();
    return { accepted: data };
  }

  /** A bid that came in time and is still being weighed counts. */
  #fall(number) {
    this.#weighed = this.#weighed.then(() => (number === this.#highest.number ? this.#end() : undefined));
  }

  /** The sockets close, and tell their clients not to come back. */
  async #end() {
    this.#sold = true;
    for (const connection of [...this.#gateway.connections('auction')]) this.#sendAway(connection);
    // For those who read the log; clients have been told.
    await this.#publish('ended', 'AuctionWasEnded', this.#highest).catch(console.error);
  }

  #sendAway(connection) {
    const { bidder, amount } = this.#highest;
    connection.close(SOLD, `sold to ${bidder} for ${amount}`);
  }

  #publish(what, type, data) {
    return this.#gateway.publish({ exchange: 'auctions', topic: `auction.${this.id}.${what}`, type, data });
  }
}

function isBid(bid) {
  return (
    typeof bid === 'object' &&
    bid !== null &&
    typeof bid.bidder === 'string' &&
    bid.bidder.trim() !== '' &&
    bid.bidder.length <= MAX_NAME &&
    Number.isFinite(bid.amount) &&
    bid.amount > 0 &&
    bid.amount <= MAX_AMOUNT
  );
}
