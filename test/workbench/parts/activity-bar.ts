/** The bar of view containers at the window's edge. */
import type { Page } from 'playwright-core';
import { attributes } from './in-page.ts';
import { until } from './patience.ts';
import { SideBar } from './side-bar.ts';

export class ActivityBar {
  private readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** Opens a view container by its title, where it is not open already. */
  async open(title: string): Promise<SideBar> {
    const tab = this.page
      .locator('.activitybar')
      .getByRole('tab', { name: title, exact: false })
      .first();
    await tab.waitFor();
    const sideBar = this.page.locator('.part.sidebar');
    const isOpen = async (): Promise<boolean> =>
      (await tab.getAttribute('aria-selected')) === 'true' && (await sideBar.isVisible());
    await until(`${title} is open`, async () => {
      if (await isOpen()) return true;
      await tab.click();
      // A click on what was just opening has closed it: then another one is due.
      await sideBar.waitFor({ timeout: 3000 }).catch(() => undefined);
      return isOpen();
    });
    return new SideBar(this.page);
  }

  /** The titles, from top to bottom. */
  async titles(): Promise<string[]> {
    const tabs = this.page.locator('.activitybar [role=tab]');
    await tabs.first().waitFor();
    return attributes(tabs, 'aria-label');
  }
}
