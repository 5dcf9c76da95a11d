/** The side bar: the views (panes) of the open view container, their titles' actions and welcome texts. */
import type { Locator, Page } from 'playwright-core';
import { ContextMenu } from './context-menu.ts';
import { Tree } from './tree.ts';

export class SideBar {
  readonly element: Locator;
  private readonly page: Page;

  constructor(page: Page) {
    this.page = page;
    this.element = page.locator('.part.sidebar');
  }

  /** A view by its title, opened where it is collapsed. */
  async view(title: string): Promise<ViewPane> {
    // `has` looks from the pane on.
    const heading = this.page.locator(`.pane-header h3.title:text-is("${title}")`);
    const pane = this.element.locator('.split-view-view > .pane').filter({ has: heading });
    const header = pane.locator('.pane-header');
    await header.waitFor();
    if ((await header.getAttribute('aria-expanded')) === 'false') await header.click();
    return new ViewPane(this.page, pane);
  }

  /** A view with all the room: the others are folded, so that its rows are in view. */
  async only(title: string): Promise<ViewPane> {
    const open = this.element.locator('.pane-header[aria-expanded=true]');
    for (const other of await this.titles()) {
      const heading = this.page.locator(`h3.title:text-is("${other}")`);
      const header = open.filter({ has: heading });
      if (other !== title && (await header.count()) > 0) await header.click();
    }
    return this.view(title);
  }

  /** The titles of the views, in their order. */
  async titles(): Promise<string[]> {
    const titles = this.element.locator('.pane-header h3.title');
    await titles.first().waitFor();
    return titles.allInnerTexts();
  }
}

export class ViewPane {
  readonly element: Locator;
  readonly tree: Tree;
  private readonly page: Page;

  constructor(page: Page, element: Locator) {
    this.page = page;
    this.element = element;
    this.tree = new Tree(page, element);
  }

  /** Clicks an action of the title bar by its accessible name (they show while the pointer is above). */
  async act(name: string | RegExp): Promise<void> {
    await this.element.locator('.pane-header').hover();
    await this.element.locator('.pane-header').getByRole('button', { name }).first().click();
  }

  /** Opens "Views and More Actions…" of the view. */
  async more(): Promise<ContextMenu> {
    await this.act(/More Actions/);
    return new ContextMenu(this.page).opened();
  }

  /** The text of the welcome view; waits for it. */
  async welcome(): Promise<string> {
    const content = this.element.locator('.welcome-view-content');
    await content.waitFor();
    return content.innerText();
  }

  /** Clicks a button or link of the welcome view. */
  async welcomeAct(name: string | RegExp): Promise<void> {
    const content = this.element.locator('.welcome-view-content');
    await content
      .getByRole('button', { name })
      .or(content.getByRole('link', { name }))
      .first()
      .click();
  }
}
