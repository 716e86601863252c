import type { Client, Collection, PregonEvent } from '@pregon/client';
import { find, setText } from '../dom.js';
import type { Notices } from '../notices.js';
import { UserBoard } from './board.js';
import { UserEditor } from './editor.js';
import { deleteUser, saveUser } from './requests.js';
import { parseUser, type User } from './user.js';

/** The left column: the table of users as it stands, and what can be done to it. */
export class UserPanel {
  readonly #root = find(document, '#users', HTMLElement);
  readonly #empty = find(this.#root, '.empty', HTMLElement);
  readonly #counts = document.querySelectorAll('[data-count=users]');
  readonly #client: Client;
  readonly #notices: Notices;
  readonly #editor: UserEditor;
  readonly #board: UserBoard;
  readonly #users: Collection<User>;
  /** What the first snapshot brings is not news. */
  #isReady = false;

  constructor(client: Client, notices: Notices) {
    this.#client = client;
    this.#notices = notices;
    this.#editor = new UserEditor((name) => this.#tellIfStale(`${name} was saved.`));
    this.#board = new UserBoard(find(this.#root, 'tbody', HTMLTableSectionElement), {
      edit: (user) => this.#editor.open(user),
      remove: (user) => void this.#remove(user),
    });
    find(this.#root, '#add-user', HTMLButtonElement).addEventListener('click', () => {
      this.#editor.open({ id: this.#board.nextId });
    });
    find(this.#empty, 'code', HTMLElement).textContent = exampleRequest();
    this.#users = client.collection<User>({ key: 'id', topics: ['user.#'], parse: parseUser, change: changeOf });
    this.#users.observe({
      added: (user) => this.#put(user),
      changed: (user) => this.#put(user),
      removed: (user) => {
        this.#board.remove(user.id);
        this.#tell();
      },
      ready: () => {
        this.#isReady = true;
        this.#tell();
      },
    });
  }

  #put(user: User): void {
    this.#board.put(user, { mark: this.#isReady });
    this.#tell();
  }

  #tell(): void {
    const count = this.#board.size;
    for (const element of this.#counts) setText(element, count.toLocaleString());
    this.#empty.hidden = count > 0 || !this.#isReady;
  }

  /** Deletes at once, and offers to take it back: nobody has to answer a question for each of twenty users. */
  async #remove(user: User): Promise<void> {
    const refusal = await deleteUser(user.id);
    if (refusal) {
      this.#notices.show(`${user.name} was not deleted. ${refusal.message}`);
      return;
    }
    this.#notices.show(`${user.name} was deleted.`, { action: { label: 'Undo', run: () => void this.#restore(user) } });
    this.#tellIfStale();
  }

  async #restore(user: User): Promise<void> {
    const refusal = await saveUser(user, { onlyNew: true });
    if (refusal) this.#notices.show(`${user.name} was not brought back. ${refusal.message}`);
  }

  /** Without a gateway the application works, but the table does not show it: that would look like a failure. */
  #tellIfStale(what = ''): void {
    if (this.#client.state === 'online') return;
    this.#notices.show(`${what} The table will show it when the gateway is back.`.trim());
  }
}

function changeOf(event: PregonEvent) {
  switch (event.type) {
    case 'UserWasCreated':
    case 'UserWasUpdated':
      return { put: event.data };
    case 'UserWasDeleted':
      return { remove: event.data };
    default:
      return undefined;
  }
}

function exampleRequest(): string {
  return [
    `curl -X PUT ${location.origin}/users/42 \\`,
    "  -H 'Content-Type: application/json' \\",
    `  -d '{"name":"Ada Lovelace","email":"ada@example.com"}'`,
  ].join('\n');
}
