import { find } from '../dom.js';
import { type Refusal, saveUser } from './requests.js';
import type { User } from './user.js';

const FIELDS = ['id', 'name', 'email'] as const;

type Field = (typeof FIELDS)[number];

export interface EditorHooks {
  /** Called with the name of each user that was saved. */
  saved(name: string): void;
  /** Called when the reader deletes this user. */
  remove(user: User): void;
}

/**
 * The dialog in which a user is added or edited. It closes when the application has accepted the user, and keeps the
 * input until then.
 */
export class UserEditor {
  readonly #dialog = find(document, '#editor', HTMLDialogElement);
  readonly #form = find(this.#dialog, 'form', HTMLFormElement);
  readonly #title = find(this.#dialog, 'h2', HTMLElement);
  readonly #failure = find(this.#dialog, '.failure', HTMLElement);
  readonly #save = find(this.#dialog, '[type=submit]', HTMLButtonElement);
  readonly #delete = find(this.#dialog, '[value=delete]', HTMLButtonElement);
  readonly #hooks: EditorHooks;
  /** The user being edited; undefined while a user is added. */
  #user: User | undefined;

  constructor(hooks: EditorHooks) {
    this.#hooks = hooks;
    find(this.#dialog, '[value=cancel]', HTMLButtonElement).addEventListener('click', () => this.#dialog.close());
    this.#delete.addEventListener('click', () => {
      this.#dialog.close();
      if (this.#user) hooks.remove(this.#user);
    });
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#submit();
    });
    for (const name of FIELDS) this.#input(name).addEventListener('input', () => this.#tell(name, ''));
  }

  /** @param user the user to edit; or the suggested id of a new user */
  open(user: User | { readonly id: string }): void {
    this.#user = 'name' in user ? user : undefined;
    this.#title.textContent = this.#user ? `Edit user ${user.id}` : 'Add user';
    this.#input('id').value = user.id;
    this.#input('id').readOnly = this.#user !== undefined;
    this.#input('name').value = this.#user?.name ?? '';
    this.#input('email').value = this.#user?.email ?? '';
    this.#delete.hidden = this.#user === undefined;
    this.#show(undefined);
    this.#dialog.showModal();
    this.#input('name').select();
  }

  async #submit(): Promise<void> {
    if (this.#save.disabled) return;
    const draft = { id: this.#value('id'), name: this.#value('name'), email: this.#value('email') };
    if (!draft.id) {
      // Without an id, there is no URL to send the user to.
      this.#show({ message: '', fields: new Map([['id', 'Enter an Id.']]) });
      return;
    }
    this.#save.disabled = true;
    const refusal = await saveUser(draft, { onlyNew: this.#user === undefined });
    this.#save.disabled = false;
    this.#show(refusal);
    if (refusal) return;
    this.#dialog.close();
    this.#hooks.saved(draft.name);
  }

  #show(refusal: Refusal | undefined): void {
    for (const name of FIELDS) this.#tell(name, refusal?.fields.get(name) ?? '');
    const atField = FIELDS.find((name) => refusal?.fields.has(name));
    this.#failure.hidden = !refusal || atField !== undefined;
    this.#failure.textContent = refusal?.message ?? '';
    if (atField) this.#input(atField).focus();
  }

  #tell(name: Field, error: string): void {
    const input = this.#input(name);
    if (error) input.setAttribute('aria-invalid', 'true');
    else input.removeAttribute('aria-invalid');
    find(this.#form, `#user-${name}-error`, HTMLElement).textContent = error;
  }

  #value(name: Field): string {
    return this.#input(name).value.trim();
  }

  #input(name: Field): HTMLInputElement {
    return find(this.#form, `#user-${name}`, HTMLInputElement);
  }
}
