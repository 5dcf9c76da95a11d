/** The list of notifications. The workbench of tests shows only errors as toasts; what else is said stands here. */
import type { Page } from 'playwright-core';
import { Notification } from './notifications.ts';
import { QuickInput } from './quick-input.ts';

export class NotificationCenter {
  private readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** Opens the list and waits for a notification that matches. */
  async awaited(text: string | RegExp): Promise<Notification> {
    await new QuickInput(this.page).command('Notifications: Show Notifications');
    const item = this.page
      .locator('.notifications-center .notification-list-item')
      .filter({ hasText: text })
      .first();
    await item.waitFor();
    return new Notification(item);
  }
}
