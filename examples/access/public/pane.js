const READERS = { everybody: 'Everybody', ada: 'Ada only', bo: 'Bo only' };

/** One way to sign in: the state of its connection, and the notes that it may show. */
export class Pane {
  #state;
  #notes;

  constructor(section) {
    this.#state = section.querySelector('.state');
    this.#notes = section.querySelector('.notes');
  }

  say(state, text) {
    this.#state.dataset.state = state;
    this.#state.textContent = text;
  }

  clear() {
    this.#notes.replaceChildren();
  }

  add({ data: { reader, text } }) {
    const item = document.createElement('li');
    const note = document.createElement('span');
    note.textContent = text;
    const who = document.createElement('span');
    who.className = 'reader';
    who.textContent = READERS[reader] ?? reader;
    item.append(note, who);
    this.#notes.prepend(item);
  }
}
