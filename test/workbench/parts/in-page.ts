/** Readings of many elements in one round trip. The functions run inside the page, whose types are not those of Node. */
import type { Locator } from 'playwright-core';

/** What of an element is read here. */
interface PageElement {
  readonly textContent: string | null;
  getAttribute(name: string): string | null;
  getBoundingClientRect(): { readonly top: number };
  querySelector(selector: string): PageElement | null;
}

interface PageGlobals {
  getComputedStyle(element: unknown): { readonly color: string };
}

/** An attribute of each element; where it has none, its text. */
export function attributes(elements: Locator, name: string): Promise<string[]> {
  return elements.evaluateAll(
    (all: unknown, key: string) =>
      (all as PageElement[]).map((one) => one.getAttribute(key) ?? one.textContent ?? ''),
    name,
  );
}

/** The texts of the elements from top to bottom; with parts, those of the parts in each, with one space between. */
export function textsDown(elements: Locator, parts: readonly string[] = []): Promise<string[]> {
  return elements.evaluateAll(
    (all: unknown, selectors: readonly string[]) =>
      (all as PageElement[])
        .map((one) => {
          const pieces = selectors
            .map((part) => one.querySelector(part)?.textContent?.trim() ?? '')
            .filter((piece) => piece !== '');
          const text = selectors.length === 0 ? (one.textContent ?? '') : pieces.join(' ');
          return { top: one.getBoundingClientRect().top, text };
        })
        .sort((a, b) => a.top - b.top)
        .map(({ text }) => text),
    parts,
  );
}

/** The colour of an element's text, as CSS: rgb(…). */
export function colour(element: Locator): Promise<string> {
  return element.evaluate(
    (one: unknown) => (globalThis as unknown as PageGlobals).getComputedStyle(one).color,
  );
}

/** For the page: when a row of that label is there, in milliseconds since the epoch. */
export function shownAt(label: string): string {
  return `new Promise((resolve) => {
    const look = () => {
      const rows = [...document.querySelectorAll('.sidebar .label-name')];
      if (rows.some((each) => each.textContent === ${JSON.stringify(label)})) resolve(Date.now());
      else setTimeout(look, 4);
    };
    look();
  })`;
}
