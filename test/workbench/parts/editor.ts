/** The text editor: opening, typing, completion, hover, squiggles, light bulb, lenses and hints. */
import type { Locator, Page } from 'playwright-core';
import { ContextMenu } from './context-menu.ts';
import { colour, textsDown } from './in-page.ts';
import { until } from './patience.ts';
import { QuickInput } from './quick-input.ts';

export class Editor {
  private readonly page: Page;
  private readonly quick: QuickInput;

  constructor(page: Page) {
    this.page = page;
    this.quick = new QuickInput(page);
  }

  /** The active group's text editor. */
  get element(): Locator {
    return this.page
      .locator('.editor-group-container.active .editor-instance .monaco-editor')
      .first();
  }

  /** The names of the open tabs. */
  tabs(): Promise<string[]> {
    return this.page.locator('.tabs-container .tab .label-name').allInnerTexts();
  }

  /** Waits for a tab whose name matches. */
  async tab(name: string | RegExp): Promise<Locator> {
    const tab = this.page.locator('.tabs-container .tab').filter({ hasText: name }).first();
    await tab.waitFor();
    return tab;
  }

  /** Opens a file of the workspace by its path or name, through quick open. */
  async open(file: string): Promise<void> {
    const name = exactly(file.split('/').at(-1) ?? file);
    // The list is filled twice, so that a click may meet another row: then again.
    await until(`the editor of ${file}`, async () => {
      await this.page.keyboard.press('Escape');
      await this.page.keyboard.press('Control+p');
      await this.quick.input.fill(file, { timeout: 5000 });
      const label = this.page.locator('.label-name').filter({ hasText: name });
      const row = this.quick.element.locator('.monaco-list-row').filter({ has: label });
      await row.first().waitFor({ timeout: 5000 });
      await this.quick.settled();
      await row.first().click({ timeout: 5000 });
      const tab = `.tab[aria-selected="true"][data-resource-name="${file.split('/').at(-1) ?? file}"]`;
      await this.page.locator(tab).first().waitFor({ timeout: 4000 });
      await this.element.locator('.view-line').first().waitFor({ timeout: 10_000 });
      return true;
    });
    await this.focus();
  }

  async focus(): Promise<void> {
    // Not by a click: a widget may lie above.
    await this.element.locator('.native-edit-context, textarea.inputarea').first().focus();
  }

  /** Puts the cursor at a line and column, from 1. */
  async goTo(line: number, column: number): Promise<void> {
    await this.focus();
    await this.page.keyboard.press('Control+g');
    await this.quick.enter(`:${line}:${column}`);
    await this.quick.element.waitFor({ state: 'hidden' });
  }

  async type(text: string): Promise<void> {
    await this.page.keyboard.type(text);
  }

  async press(keys: string): Promise<void> {
    await this.page.keyboard.press(keys);
  }

  /** The shown lines in their order, without those that are folded or out of view. */
  async lines(): Promise<string[]> {
    const lines = await textsDown(this.element.locator('.view-lines .view-line'));
    return lines.map((line) => line.replaceAll(/[\u00a0\u00b7]/g, ' '));
  }

  /** Waits until the shown text holds what is asked, and answers the lines. */
  async shows(what: string | RegExp): Promise<string[]> {
    return until(`the editor shows ${String(what)}`, async () => {
      const lines = await this.lines();
      const text = lines.join('\n');
      return (typeof what === 'string' ? text.includes(what) : what.test(text)) ? lines : undefined;
    });
  }

  /** The shown line that holds the text. */
  line(text: string | RegExp): Locator {
    return this.element.locator('.view-lines .view-line').filter({ hasText: text }).first();
  }

  /** The words of the suggest widget, opened here; waits for the first. */
  async suggestions(): Promise<string[]> {
    const rows = this.page.locator('.suggest-widget.visible .monaco-list-row');
    return until('suggestions', async () => {
      if ((await rows.count()) === 0) {
        await this.page.keyboard.press('Control+Space');
        await rows.first().waitFor({ timeout: 3000 });
      }
      const labels = rows.locator('.label-name');
      const words = await labels.allInnerTexts();
      return words.length > 0 ? words : undefined;
    });
  }

  /** Accepts a suggestion by its word. */
  async accept(word: string | RegExp): Promise<void> {
    const row = this.page
      .locator('.suggest-widget.visible .monaco-list-row')
      .filter({ hasText: word });
    await row.first().click();
  }

  /** The hover at the cursor; waits for it. */
  async hover(): Promise<string> {
    const hover = this.page.locator('.monaco-hover:visible .monaco-hover-content').first();
    return until('the hover', async () => {
      await this.page.keyboard.press('Control+k');
      await this.page.keyboard.press('Control+i');
      await hover.waitFor({ timeout: 4000 });
      const text = await hover.innerText();
      return text.includes('Loading...') ? undefined : text;
    });
  }

  /** How many squiggles of a level are shown. */
  squiggles(level: 'error' | 'warning' | 'info'): Promise<number> {
    return this.element.locator(`.squiggly-${level}`).count();
  }

  /** Opens the menu of code actions at the cursor and answers their titles; waits for the first. */
  async codeActions(): Promise<string[]> {
    const rows = this.page.locator('.action-widget .monaco-list-row.action');
    return until('code actions', async () => {
      if ((await rows.count()) === 0) {
        await this.page.keyboard.press('Control+.');
        await rows.first().waitFor({ timeout: 4000 });
      }
      return rows.allInnerTexts();
    });
  }

  async applyCodeAction(title: string | RegExp): Promise<void> {
    const row = this.page
      .locator('.action-widget .monaco-list-row.action')
      .filter({ hasText: title });
    await row.first().click();
    await row.first().waitFor({ state: 'hidden' });
  }

  /** The texts of the code lenses. */
  lenses(): Promise<string[]> {
    return this.element.locator('.codelens-decoration a').allInnerTexts();
  }

  async contextMenu(): Promise<ContextMenu> {
    await this.page.keyboard.press('Shift+F10');
    return new ContextMenu(this.page).opened();
  }

  /** Colour (CSS) of the piece of a line that begins with the text. */
  async colourOf(line: string | RegExp, piece: string): Promise<string> {
    const span = this.line(line).locator('span span').filter({ hasText: piece }).first();
    return colour(span);
  }

  /** Saves; on the disk it is a moment later. */
  async save(): Promise<void> {
    await this.page.keyboard.press('Control+s');
    await this.page.locator('.tab.active:not(.dirty)').waitFor();
  }

  async closeAll(): Promise<void> {
    await this.quick.command('View: Close All Editors');
    await this.page.locator('.tabs-container .tab').first().waitFor({ state: 'hidden' });
  }
}

function exactly(text: string): RegExp {
  return new RegExp(`^${text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`);
}
