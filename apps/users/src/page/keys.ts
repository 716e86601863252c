export interface KeyActions {
  /** The key `n`, while the focus is in the pane of the users or nowhere. */
  add(): void;
  /** The key `/`, while the focus is in the pane of the log or nowhere. */
  filter(): void;
  /** The space bar, while the focus is in the pane of the log or nowhere. */
  pause(): void;
}

/**
 * The keyboard shortcuts of the page. They work while the focus is in their pane or nowhere, and never in a field: text
 * that is typed or dictated there must not trigger them.
 *
 * @see https://www.w3.org/TR/WCAG22/#character-key-shortcuts
 */
export function startKeys(actions: KeyActions): void {
  document.addEventListener('keydown', (event) => {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || isTyping(target)) return;
    const action = actionFor(key, paneOf(target), actions);
    if (!action) return;
    event.preventDefault();
    action();
  });
  // The rows of the log are buttons, which are pressed on release of the space bar.
  document.addEventListener('keyup', (event) => {
    if (event.key === ' ' && isLogRow(event.target)) event.preventDefault();
  });
}

function actionFor(key: string, pane: string, { add, filter, pause }: KeyActions): (() => void) | undefined {
  if (key === 'n' && (pane === 'users' || pane === '')) return add;
  if (key === '/' && (pane === 'log' || pane === '')) return filter;
  if (key === ' ' && (pane === 'log' || pane === '')) return pause;
  return undefined;
}

/**
 * The pane that holds the focus, `''` if nothing has it, `elsewhere` for the rest, and for controls that use the key
 * themselves.
 */
function paneOf(target: EventTarget | null): string {
  if (target === document.body || target === document.documentElement) return '';
  if (!(target instanceof Element)) return 'elsewhere';
  if (target.matches('button, a') && !isLogRow(target)) return 'elsewhere';
  return target.closest('.pane')?.id ?? 'elsewhere';
}

function isLogRow(target: EventTarget | null): boolean {
  return target instanceof Element && target.matches('.event');
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('input, textarea, select, [contenteditable], dialog') !== null;
}
