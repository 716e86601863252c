import type { Collection, PregonEvent } from '@pregon/client';
import { find, setText } from '../dom.js';
import type { GatewayLink } from '../link.js';
import { startCopying } from '../story/copy.js';
import type { Toasts } from '../toasts.js';
import { figure } from '../words.js';
import { UserBoard } from './board.js';
import { UserEditor } from './editor.js';
import { deleteUser, saveUser } from './requests.js';
import { parseUser, type User } from './user.js';

/** The left column: the current table of users, and the actions on it. */
export class UserPanel {
  readonly #root = find(document, '#users', HTMLElement);
  readonly #table = find(this.#root, 'table', HTMLTableElement);
  readonly #empty = find(this.#root, '.empty', HTMLElement);
  readonly #bones = find(this.#root, '.bones', HTMLElement);
  readonly #add = find(this.#root, '#add-user', HTMLButtonElement);
  readonly #counts = document.querySelectorAll('[data-count=users]');
  readonly #link: GatewayLink;
  readonly #toasts: Toasts;
  readonly #editor: UserEditor;
  readonly #board: UserBoard;
  readonly #users: Collection<User>;
  /** Whether the first snapshot was applied: later changes are highlighted. */
  #isReady = false;

  constructor(link: GatewayLink, toasts: Toasts) {
    this.#link = link;
    this.#toasts = toasts;
    this.#editor = new UserEditor({
      saved: (name) => this.#tellIfStale(`${name} was saved.`),
      remove: (user) => {
        this.#board.leave(user.id);
        void this.#remove(user);
      },
    });
    this.#board = new UserBoard(find(this.#root, '.rows', HTMLTableSectionElement), {
      edit: (user) => this.#editor.open(user),
      remove: (user) => void this.#remove(user),
    });
    this.#add.addEventListener('click', () => this.add());
    find(this.#empty, '.text', HTMLElement).textContent = exampleRequest();
    startCopying(find(this.#empty, '.command', HTMLElement));
    this.#users = link.collection<User>({ key: 'id', topics: ['user.#'], parse: parseUser, change: changeOf });
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

  /** How many users the table shows; undefined before the first snapshot. */
  get count(): number | undefined {
    return this.#isReady ? this.#board.size : undefined;
  }

  /** Opens the form for a new user. */
  add(): void {
    if (!this.#add.disabled) this.#editor.open({ id: this.#board.nextId });
  }

  #put(user: User): void {
    this.#board.put(user, { isNews: this.#isReady });
    this.#tell();
  }

  #tell(): void {
    if (!this.#isReady) return;
    const count = this.#board.size;
    for (const element of this.#counts) setText(element, figure(count));
    this.#table.ariaBusy = 'false';
    this.#table.hidden = count === 0;
    this.#bones.hidden = true;
    this.#add.disabled = false;
    this.#empty.hidden = count > 0;
  }

  /** Deletes immediately and offers an undo, instead of asking for confirmation. */
  async #remove(user: User): Promise<void> {
    const refusal = await deleteUser(user.id);
    if (refusal) {
      this.#toasts.show(`${user.name} was not deleted. ${refusal.message}`);
      return;
    }
    const undo = { label: 'Undo', run: () => void this.#restore(user) };
    this.#toasts.show(
      `${user.name} was deleted.${this.#isStale ? ' The table shows it when the gateway is back.' : ''}`,
      {
        action: undo,
      },
    );
  }

  async #restore(user: User): Promise<void> {
    this.#board.focusOn(user.id);
    const refusal = await saveUser(user, { onlyNew: true });
    if (refusal) this.#toasts.show(`${user.name} was not brought back. ${refusal.message}`);
  }

  get #isStale(): boolean {
    return this.#link.state !== 'online';
  }

  /** Without a gateway, a change is saved but not shown, which would look like a failure without this hint. */
  #tellIfStale(what: string): void {
    if (this.#isStale) this.#toasts.show(`${what} The table shows it when the gateway is back.`);
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
  const body = JSON.stringify({ name: 'Ada', email: 'ada@example.com' });
  return `curl -X PUT ${location.host}/users/42 -H 'Content-Type: application/json' -d '${body}'`;
}
