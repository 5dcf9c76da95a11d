/** The status bar. */
import type { Locator, Page } from 'playwright-core';

export class StatusBar {
  readonly element: Locator;

  constructor(page: Page) {
    this.element = page.locator('.part.statusbar');
  }

  /** An item by its text. */
  item(text: string | RegExp): Locator {
    return this.element.locator('.statusbar-item').filter({ hasText: text }).first();
  }

  /** Waits for an item and clicks it. */
  async press(text: string | RegExp): Promise<void> {
    await this.item(text).locator('a').first().click();
  }

  texts(): Promise<string[]> {
    return this.element.locator('.statusbar-item:visible').allInnerTexts();
  }
}
