/** The clipboard of the browser. The function runs inside the page, whose types are not those of Node. */
import type { Page } from 'playwright-core';
import { until } from './patience.ts';

interface PageGlobals {
  readonly navigator: { readonly clipboard: { readText(): Promise<string> } };
}

/** Waits until it holds what matches, and answers it. */
export function copied(page: Page, what: RegExp): Promise<string> {
  return until(`the clipboard holds ${String(what)}`, async () => {
    const text = await page.evaluate(() =>
      (globalThis as unknown as PageGlobals).navigator.clipboard.readText(),
    );
    return what.test(text) ? text : undefined;
  });
}
