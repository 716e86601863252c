import { randomUUID } from 'node:crypto';

const MAX_AMOUNT = 1_000_000_000;
const MAX_NAME = 60;

/** A close code from the application's own range. Codes from 4500 tell clients not to reconnect. */
const SOLD = { code: 4900, reason: 'sold', reconnect: false };

/** An auction. It is open until there was no higher bid for some time. */
export class Auction {
  id = randomUUID();
  #item;
  #seconds;
  #gateway;
  #highest;
  #sold = false;
  #hammer;
  /** The queue of bids, which are checked one after the other. */
  #weighed = Promise.resolve();

  constructor({ item, seconds }) {
    this.#item = item;
    this.#seconds = seconds;
  }

  get state() {
    return { item: this.#item, highest: this.#highest ?? null, sold: this.#sold };
  }

  /** Handlers for the messages of the route, over any transport. */
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

  /** Ends the auction after the pending bids, because a bid that arrived in time counts. */
  #fall(number) {
    this.#weighed = this.#weighed.then(() => (number === this.#highest.number ? this.#end() : undefined));
  }

  /** Closes the sockets with a code that tells clients not to reconnect. */
  async #end() {
    this.#sold = true;
    for (const connection of [...this.#gateway.connections('auction')]) this.#sendAway(connection);
    // For readers of the log; the clients already know.
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
