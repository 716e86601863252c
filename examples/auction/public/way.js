/** A row of the table: one way to get the bids, and its cost. */
export class Way {
  #row;
  #last = 0;
  #seen = 0;

  constructor(name, label) {
    const { content } = document.getElementById('way');
    this.#row = content.firstElementChild.cloneNode(true);
    this.#row.dataset.way = name;
    this.#row.querySelector('th').textContent = label;
    document.querySelector('#ways tbody').append(this.#row);
  }

  saw({ number, amount, at }) {
    if (number <= this.#last) return;
    this.#last = number;
    this.#seen += 1;
    this.#show('highest', amount);
    this.#show('seen', `${this.#seen} of ${number}`);
    this.#show('delay', `${Math.max(Date.now() - at, 0)} ms`);
  }

  cost(requests, bytes) {
    this.#show('requests', requests);
    this.#show('bytes', bytes);
    if (this.#seen > 0) this.#show('each', Math.round(bytes / this.#seen));
  }

  #show(cell, value) {
    this.#row.querySelector(`[data-cell="${cell}"]`).textContent = value;
  }
}
