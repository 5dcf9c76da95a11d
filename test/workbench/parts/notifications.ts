/** The notifications (toasts) in the window's corner. */
import type { Locator, Page } from 'playwright-core';

export class Notifications {
  readonly element: Locator;

  constructor(page: Page) {
    this.element = page.locator('.notifications-toasts');
  }

  /** Waits for one that matches. */
  async awaited(text: string | RegExp): Promise<Notification> {
    const item = this.element.locator('.notification-list-item').filter({ hasText: text }).first();
    await item.waitFor();
    return new Notification(item);
  }

  /** What is shown now. */
  texts(): Promise<string[]> {
    return this.element.locator('.notification-list-item-message').allInnerTexts();
  }
}

export class Notification {
  readonly element: Locator;

  constructor(element: Locator) {
    this.element = element;
  }

  text(): Promise<string> {
    return this.element.locator('.notification-list-item-message').innerText();
  }

  /** The titles of the buttons. */
  buttons(): Promise<string[]> {
    return this.element
      .locator('.notification-list-item-buttons-container .monaco-button')
      .allInnerTexts();
  }

  async press(title: string | RegExp): Promise<void> {
    await this.element.getByRole('button', { name: title }).first().click();
  }

  async close(): Promise<void> {
    await this.element.hover();
    await this.element
      .getByRole('button', { name: /Clear Notification|Close/ })
      .first()
      .click();
  }

  async gone(): Promise<void> {
    await this.element.waitFor({ state: 'hidden' });
  }
}
