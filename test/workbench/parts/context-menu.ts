/** An open menu: of a row, an editor, a title bar. */
import type { Locator, Page } from 'playwright-core';
import { attributes } from './in-page.ts';

export class ContextMenu {
  readonly element: Locator;
  private readonly page: Page;

  constructor(page: Page) {
    this.page = page;
    this.element = page.locator('.monaco-menu:visible').last();
  }

  async opened(): Promise<this> {
    await this.element.waitFor();
    return this;
  }

  /** The titles of the entries in their order, those that are greyed too. */
  async titles(): Promise<string[]> {
    const entries = this.element.locator(
      '.action-item:not(.disabled) .action-label:not(.separator)',
    );
    await entries.first().waitFor();
    return attributes(this.element.locator('.action-label:not(.separator)'), 'aria-label');
  }

  async isEnabled(title: string | RegExp): Promise<boolean> {
    const item = this.element.locator('.action-item', { hasText: title }).first();
    return !((await item.getAttribute('class')) ?? '').includes('disabled');
  }

  /** Chooses an entry, by way of its parent menus: choose('Change', 'Rename…'). */
  async choose(...path: readonly (string | RegExp)[]): Promise<void> {
    for (const title of path) {
      const exact = typeof title === 'string';
      const item = this.page
        .locator('.monaco-menu:visible')
        .getByRole('menuitem', { name: title, exact })
        .last();
      // The menu swallows a click without a pointer that has come from somewhere.
      await item.hover();
      await this.page.mouse.move(...(await middle(item)), { steps: 3 });
      await item.click();
    }
  }

  async close(): Promise<void> {
    await this.page.keyboard.press('Escape');
    await this.element.waitFor({ state: 'hidden' });
  }
}

async function middle(item: Locator): Promise<[number, number]> {
  const box = await item.boundingBox();
  return box === null ? [0, 0] : [box.x + box.width / 2 + 2, box.y + box.height / 2 + 1];
}
