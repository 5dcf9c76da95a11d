/** The problems panel. */
import type { Page } from 'playwright-core';
import { until } from './patience.ts';

export class Problems {
  private readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  async open(): Promise<this> {
    const panel = this.page.locator('.markers-panel');
    if (!(await panel.isVisible())) await this.page.keyboard.press('Control+Shift+M');
    await panel.waitFor();
    return this;
  }

  /** What the rows show, files among them. */
  texts(): Promise<string[]> {
    return this.page.locator('.markers-panel [role=treeitem]').allInnerTexts();
  }

  /** Waits for a row that matches, and answers it. */
  async awaited(text: RegExp): Promise<string> {
    return until(`the problem ${String(text)}`, async () =>
      (await this.texts()).find((row) => text.test(row)),
    );
  }

  async gone(text: RegExp): Promise<void> {
    await until(`no problem ${String(text)}`, async () =>
      (await this.texts()).every((row) => !text.test(row)),
    );
  }
}
