/** A modal dialog: what it asks and its buttons. */
import type { Locator, Page } from 'playwright-core';

export class Dialog {
  readonly element: Locator;

  constructor(page: Page) {
    this.element = page.locator('.monaco-dialog-box');
  }

  /** Message and detail; waits for the dialog. */
  async text(): Promise<string> {
    await this.element.waitFor();
    return this.element.locator('.dialog-message-container').innerText();
  }

  /** The titles of the buttons. */
  async buttons(): Promise<string[]> {
    await this.element.waitFor();
    return this.element.locator('.dialog-buttons .monaco-button').allInnerTexts();
  }

  async press(title: string | RegExp): Promise<void> {
    await this.element.getByRole('button', { name: title }).first().click();
    await this.element.waitFor({ state: 'hidden' });
  }
}
