/** The list of notifications. The workbench of tests shows only errors as toasts; what else is said stands here. */
import type { Page } from 'playwright-core';
import { Notification } from './notifications.ts';
import { PATIENCE, until } from './patience.ts';
import { QuickInput } from './quick-input.ts';

/** How long the open list is looked at. */
const LOOK_MS = 5000;

export class NotificationCenter {
  private readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** What the open list says. */
  texts(): Promise<string[]> {
    return this.page
      .locator('.notifications-center .notification-list-item-message')
      .allInnerTexts();
  }

  /** Opens the list and waits for a notification that matches; opens it again where something has closed it. */
  async awaited(text: string | RegExp): Promise<Notification> {
    const item = this.page
      .locator('.notifications-center .notification-list-item')
      .filter({ hasText: text })
      .first();
    return until(
      `the notification ${String(text)}`,
      async () => {
        await new QuickInput(this.page).command('Notifications: Show Notifications');
        await item.waitFor({ timeout: LOOK_MS });
        return new Notification(item);
      },
      2 * PATIENCE,
    );
  }
}
