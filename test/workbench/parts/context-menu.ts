/** An open menu: of a row, an editor, a title bar. */
import type { Locator, Page } from 'playwright-core';
import { attributes } from './in-page.ts';
import { PATIENCE, until } from './patience.ts';

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
  async titles(patience = PATIENCE): Promise<string[]> {
    const entries = this.element.locator(
      '.action-item:not(.disabled) .action-label:not(.separator)',
    );
    await entries.first().waitFor({ timeout: patience });
    return attributes(this.element.locator('.action-label:not(.separator)'), 'aria-label');
  }

  async isEnabled(title: string | RegExp): Promise<boolean> {
    const item = this.element.locator('.action-item', { hasText: title }).first();
    return !((await item.getAttribute('class')) ?? '').includes('disabled');
  }

  /** Chooses an entry, by way of its parent menus: choose('Change', 'Rename…'). */
  async choose(...path: readonly (string | RegExp)[]): Promise<void> {
    for (const [index, title] of path.entries()) {
      const exact = typeof title === 'string';
      const item = this.page
        .locator('.monaco-menu:visible')
        .getByRole('menuitem', { name: title, exact })
        .last();
      // The menu swallows a click without a pointer that has come from somewhere.
      await item.hover();
      await this.page.mouse.move(...(await middle(item)), { steps: 3 });
      await item.click();
      if (index === path.length - 1) await this.obeyed(item);
    }
  }

  /** A menu takes no click in its first 100 ms, by the clock of a busy machine: then it is clicked once more. */
  private async obeyed(item: Locator): Promise<void> {
    const isGone = await item.waitFor({ state: 'hidden', timeout: 1000 }).then(
      () => true,
      () => false,
    );
    if (!isGone) await item.click({ timeout: 1000 }).catch(() => undefined);
    await item.waitFor({ state: 'hidden' });
  }

  /** Chooses an entry with the arrow keys and Enter. */
  async chooseByKeys(title: string): Promise<void> {
    const focused = this.element.locator('.action-item.focused .action-label');
    await until(`the arrows reach ${title}`, async () => {
      if ((await focused.count()) > 0) {
        const label = (await focused.first().getAttribute('aria-label')) ?? '';
        if (label === title || label.startsWith(`${title} `)) return true;
      }
      await this.page.keyboard.press('ArrowDown');
      return undefined;
    });
    await this.page.keyboard.press('Enter');
    await this.element.waitFor({ state: 'hidden' });
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
