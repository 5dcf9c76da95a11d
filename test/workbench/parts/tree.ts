/** A tree: its rows, what they show, their inline actions, context menus and expansion. */
import type { Locator, Page } from 'playwright-core';
import { ContextMenu } from './context-menu.ts';
import { type DroppedFile, dropFiles } from './drop.ts';
import { attributes, textsDown } from './in-page.ts';
import { PATIENCE, until } from './patience.ts';

export class Tree {
  readonly element: Locator;
  private readonly page: Page;

  constructor(page: Page, within: Locator) {
    this.page = page;
    this.element = within;
  }

  /** The first row whose accessible name, or shown text, matches. Does not wait. */
  row(name: string | RegExp): Row {
    const byName = this.element.getByRole('treeitem', { name });
    const byText = this.element.getByRole('treeitem').filter({ hasText: name });
    return new Row(this.page, byName.or(byText).first());
  }

  /** What the rows show, in their order: label and description with one space between. Only those that are in view are there. */
  async texts(): Promise<string[]> {
    return textsDown(this.element.locator('.monaco-list-row'), [
      '.label-name',
      '.label-description',
    ]);
  }

  /** The accessible name of the row that has the tree's focus; empty where none has. */
  async focused(): Promise<string> {
    const row = this.element.locator('.monaco-list:focus-within .monaco-list-row.focused');
    return (await row.count()) === 0 ? '' : ((await row.first().getAttribute('aria-label')) ?? '');
  }

  /** Waits until the shown rows satisfy the condition, and answers them. */
  async settled(what: string, holds: (texts: readonly string[]) => boolean): Promise<string[]> {
    return until(what, async () => {
      const texts = await this.texts();
      return holds(texts) ? texts : undefined;
    });
  }

  /** Opens rows, each of which comes with the one before. */
  async unfold(...names: readonly (string | RegExp)[]): Promise<void> {
    for (const name of names) await (await this.row(name).waitFor()).expand();
  }

  /** Selects several rows: the first by a click, the others with Ctrl. */
  async select(...names: readonly (string | RegExp)[]): Promise<void> {
    for (const [index, name] of names.entries())
      await this.row(name).element.click(index === 0 ? {} : { modifiers: ['Control'] });
  }
}

export class Row {
  readonly element: Locator;
  private readonly page: Page;

  constructor(page: Page, element: Locator) {
    this.page = page;
    this.element = element;
  }

  async waitFor(state: 'visible' | 'hidden' = 'visible'): Promise<this> {
    await this.element.waitFor({ state, timeout: PATIENCE });
    return this;
  }

  async click(): Promise<void> {
    await this.element.click();
  }

  /** Opens the row's children where they are closed. */
  async expand(): Promise<void> {
    await this.element.waitFor();
    if ((await this.element.getAttribute('aria-expanded')) === 'false')
      await this.element.locator('.monaco-tl-twistie').click();
  }

  async label(): Promise<string> {
    return this.element.locator('.label-name').first().innerText();
  }

  async description(): Promise<string> {
    const text = this.element.locator('.label-description');
    return (await text.count()) === 0 ? '' : text.first().innerText();
  }

  /** What a screen reader says. */
  async accessibleName(): Promise<string> {
    return (await this.element.getAttribute('aria-label')) ?? '';
  }

  /** Clicks an inline action by its title; they show while the pointer is above. */
  async act(title: string): Promise<void> {
    await this.element.hover();
    await this.element.locator(`.actions a[aria-label^="${title}"]`).first().click();
  }

  /** The titles of the inline actions. */
  async actions(): Promise<string[]> {
    await this.element.hover();
    return attributes(this.element.locator('.actions a.action-label'), 'aria-label');
  }

  /** Drags the row onto another, of this tree or of one beside it. */
  async dragTo(row: Row): Promise<void> {
    await this.element.dragTo(row.element);
  }

  /** Drops files of the browser's machine on the row. */
  async receive(files: readonly DroppedFile[]): Promise<void> {
    await this.element.waitFor();
    await dropFiles(this.element, files);
  }

  /** Chooses an entry of the row's menu, once the row is in a state that offers it. */
  async choose(title: string): Promise<void> {
    // Behind the title may stand its key.
    const text = title.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
    const wanted = new RegExp(`^${text}(?:,? (?:\\w+\\+)*(?:F\\d+|Del|Enter|\\w))?$`);
    const menu = await until(`the menu of the row offers ${title}`, async () => {
      // A menu goes when its row changes: no step may wait for it as long as the whole.
      await this.element.click({ button: 'right', timeout: 5000 });
      const opened = new ContextMenu(this.page);
      await opened.element.waitFor({ timeout: 5000 });
      if ((await opened.titles(5000)).some((each) => wanted.test(each))) return opened;
      await this.page.keyboard.press('Escape');
      return undefined;
    });
    await menu.choose(wanted);
  }

  async contextMenu(): Promise<ContextMenu> {
    await this.element.click({ button: 'right' });
    return new ContextMenu(this.page).opened();
  }

  /** The hover's text; waits until it is there whole. */
  async tooltip(): Promise<string> {
    const hovers = this.page.locator('.workbench-hover:visible, .monaco-hover:visible');
    return until('the hover of the row', async () => {
      // It shows for a pointer that comes from elsewhere, not for a row that comes below it.
      await this.page.mouse.move(0, 0);
      await hovers.last().waitFor({ state: 'hidden', timeout: 5000 });
      await this.element.locator('.label-name').first().hover();
      await hovers.last().waitFor({ timeout: 5000 });
      const whole = hovers.last().filter({ hasNotText: /^\s*Loading\.\.\.\s*$/ });
      await whole.waitFor({ timeout: 5000 });
      return whole.innerText({ timeout: 5000 });
    });
  }
}
