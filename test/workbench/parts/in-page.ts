/** Readings of many elements in one round trip. They run inside the page, so they are texts of scripts. */
import type { Locator } from 'playwright-core';

/** An attribute of each element; where it has none, its text. */
export async function attributes(elements: Locator, name: string): Promise<string[]> {
  const script = `(all) => all.map((one) => one.getAttribute(${JSON.stringify(name)}) ?? one.textContent ?? '')`;
  return textsOf(await elements.evaluateAll(script));
}

/** The texts of the elements from top to bottom; with parts, those of the parts in each, with one space between. */
export async function textsDown(
  elements: Locator,
  parts: readonly string[] = [],
): Promise<string[]> {
  const script = `(all) => all
    .map((one) => ({
      top: one.getBoundingClientRect().top,
      text: ${JSON.stringify(parts)}.length === 0 ? one.textContent
        : ${JSON.stringify(parts)}.map((part) => one.querySelector(part)?.textContent?.trim() ?? '').filter(Boolean).join(' '),
    }))
    .sort((a, b) => a.top - b.top)
    .map(({ text }) => text)`;
  return textsOf(await elements.evaluateAll(script));
}

function textsOf(answer: unknown): string[] {
  if (!Array.isArray(answer)) throw new TypeError('the page has answered no list');
  return answer.map(String);
}
