/** A class of elements, to narrow the type of a query result. */
type Kind<E extends Element> = { new (): E; readonly prototype: E };

/**
 * The only element that matches a selector.
 *
 * @throws TypeError if it is missing or of another kind: then script and markup do not match
 */
export function find<E extends Element>(root: ParentNode, selector: string, kind: Kind<E>): E {
  const element = root.querySelector(selector);
  if (element instanceof kind) return element;
  throw new TypeError(`the page has no ${kind.name} at ${selector}`);
}

/** A new copy of the one element in a `<template>`. */
export function stamp<E extends Element>(template: string, kind: Kind<E>): E {
  const copy = find(document, `template#${template}`, HTMLTemplateElement).content.firstElementChild?.cloneNode(true);
  if (copy instanceof kind) return copy;
  throw new TypeError(`the template ${template} contains no ${kind.name}`);
}

/** Writes text only if it differs, to avoid a needless layout and a repeated screen reader announcement. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
