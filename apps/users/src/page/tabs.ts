import { find } from './dom.js';

const TABS = ['users', 'log'] as const;

/**
 * Shows the two columns as tabs if the page is too narrow for both. Only then the style sheet hides the column that is
 * not selected.
 */
export function startTabs(): void {
  const main = find(document, 'main', HTMLElement);
  const buttons = TABS.map((name) => find(document, `#tab-${name}`, HTMLButtonElement));

  const select = (name: (typeof TABS)[number], focus: boolean) => {
    main.dataset['tab'] = name;
    for (const button of buttons) {
      const selected = button.id === `tab-${name}`;
      button.setAttribute('aria-selected', String(selected));
      button.tabIndex = selected ? 0 : -1;
      if (selected && focus) button.focus();
    }
  };

  for (const [index, button] of buttons.entries()) {
    const own = TABS[index];
    const other = TABS[1 - index];
    button.addEventListener('click', () => own && select(own, false));
    button.addEventListener('keydown', (event) => {
      if (other && (event.key === 'ArrowLeft' || event.key === 'ArrowRight')) select(other, true);
    });
  }
}
