import { find } from '../dom.js';
import { type Refusal, saveUser } from './requests.js';
import type { User } from './user.js';

const FIELDS = ['id', 'name', 'email'] as const;

/** The dialog in which a user is added or edited. It closes when the application has taken the user, and keeps what was typed until then. */
export class UserEditor {
  readonly #dialog = find(document, '#editor', HTMLDialogElement);
  readonly #form = find(this.#dialog, 'form', HTMLFormElement);
  readonly #title = find(this.#dialog, 'h2', HTMLElement);
  readonly #failure = find(this.#dialog, '.failure', HTMLElement);
  readonly #save = find(this.#dialog, '[type=submit]', HTMLButtonElement);
  readonly #saved: (name: string) => void;
  #isNew = true;

  /** @param saved called with the name of each user that was saved */
  constructor(saved: (name: string) => void) {
    this.#saved = saved;
    find(this.#dialog, '[value=cancel]', HTMLButtonElement).addEventListener('click', () => this.#dialog.close());
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#submit();
    });
    for (const name of FIELDS) this.#input(name).addEventListener('input', () => this.#tell(name, ''));
  }

  /** @param user the one to edit; where there is none, one is added, under `id` unless another is typed */
  open(user: User | { readonly id: string }): void {
    this.#isNew = !('name' in user);
    this.#title.textContent = 'name' in user ? `Edit user ${user.id}` : 'Add user';
    this.#input('id').value = user.id;
    this.#input('id').readOnly = !this.#isNew;
    this.#input('name').value = 'name' in user ? user.name : '';
    this.#input('email').value = 'name' in user ? user.email : '';
    this.#show(undefined);
    this.#dialog.showModal();
    this.#input('name').select();
  }

  async #submit(): Promise<void> {
    if (this.#save.disabled) return;
    const draft = { id: this.#value('id'), name: this.#value('name'), email: this.#value('email') };
    if (!draft.id) {
      this.#show({ message: '', fields: new Map([['id', 'is required']]) });
      return;
    }
    this.#save.disabled = true;
    const refusal = await saveUser(draft, { onlyNew: this.#isNew });
    this.#save.disabled = false;
    this.#show(refusal);
    if (refusal) return;
    this.#dialog.close();
    this.#saved(draft.name);
  }

  #show(refusal: Refusal | undefined): void {
    for (const name of FIELDS) this.#tell(name, refusal?.fields.get(name) ?? '');
    const atField = FIELDS.find((name) => refusal?.fields.has(name));
    this.#failure.hidden = !refusal || atField !== undefined;
    this.#failure.textContent = refusal?.message ?? '';
    if (atField) this.#input(atField).focus();
  }

  #tell(name: (typeof FIELDS)[number], error: string): void {
    const input = this.#input(name);
    if (error) input.setAttribute('aria-invalid', 'true');
    else input.removeAttribute('aria-invalid');
    find(this.#form, `#user-${name}-error`, HTMLElement).textContent = error;
  }

  #value(name: (typeof FIELDS)[number]): string {
    return this.#input(name).value.trim();
  }

  #input(name: (typeof FIELDS)[number]): HTMLInputElement {
    return find(this.#form, `#user-${name}`, HTMLInputElement);
  }
}
