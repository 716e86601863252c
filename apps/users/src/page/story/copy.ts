import { find } from '../dom.js';

const DONE_MS = 2_000;

/** Makes the button next to a command copy it. The button confirms that for two seconds. */
export function startCopying(command: HTMLElement): void {
  const button = find(command, '.copy', HTMLButtonElement);
  const text = find(command, '.text', HTMLElement);
  let timer: ReturnType<typeof setTimeout> | undefined;
  button.addEventListener('click', async () => {
    if (!(await copy(text))) return;
    button.dataset['done'] = '';
    button.ariaLabel = 'Copied';
    clearTimeout(timer);
    timer = setTimeout(() => {
      delete button.dataset['done'];
      button.ariaLabel = 'Copy the command';
    }, DONE_MS);
  });
}

/**
 * The clipboard API works only in secure contexts. In others, the text is selected, and copied if the browser allows
 * it.
 */
async function copy(element: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(element.textContent ?? '');
    return true;
  } catch {
    getSelection()?.selectAllChildren(element);
    return document.execCommand('copy');
  }
}
