/** A class of elements, to narrow what a query finds. */
type Kind<E extends Element> = { new (): E; readonly prototype: E };

/**
 * The one element that a selector names.
 *
 * @throws TypeError where it is missing or of another kind: then script and markup do not belong together
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
  throw new TypeError(`the template ${template} holds no ${kind.name}`);
}

/** Writes text where it differs, so that nothing is laid out anew, or read out again, for nothing. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
