/** The quick input: the palette, picks and input boxes. */
import type { Locator, Page } from 'playwright-core';
import { attributes } from './in-page.ts';
import { until } from './patience.ts';

export class QuickInput {
  readonly element: Locator;
  private readonly page: Page;

  constructor(page: Page) {
    this.page = page;
    this.element = page.locator('.quick-input-widget:visible');
  }

  get input(): Locator {
    return this.element.locator('input[type=text]').first();
  }

  private get rows(): Locator {
    return this.element.locator('.monaco-list-row');
  }

  async opened(): Promise<this> {
    await this.element.waitFor();
    return this;
  }

  /** Runs a command of the palette by its title, with the category: "Pinnace: Start Engine". */
  async command(title: string): Promise<void> {
    await until(`the command "${title}" in the palette`, async () => {
      // The palette goes when something else takes the focus: no step may wait for it as long as the whole.
      await this.page.keyboard.press('Escape');
      await this.page.keyboard.press('F1');
      await this.input.fill(`>${title}`, { timeout: 5000 });
      await this.rowOf(title).click({ timeout: 5000 });
      return true;
    });
  }

  /** Whether the palette offers a command of exactly that title. */
  async offers(title: string): Promise<boolean> {
    await this.page.keyboard.press('F1');
    await this.input.fill(`>${title}`);
    await this.rows.first().waitFor();
    await this.settled();
    const found = (await this.rowOf(title).count()) > 0;
    await this.page.keyboard.press('Escape');
    await this.element.waitFor({ state: 'hidden' });
    return found;
  }

  private rowOf(title: string): Locator {
    const label = this.page.locator('.quick-input-list-label .label-name, .label-name').filter({
      hasText: new RegExp(`^${title.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`),
    });
    return this.rows.filter({ has: label }).first();
  }

  /** What the prompt above the entries says. */
  async title(): Promise<string> {
    await this.opened();
    return this.element.locator('.quick-input-title').innerText();
  }

  async placeholder(): Promise<string> {
    await this.input.waitFor();
    return (await this.input.getAttribute('placeholder')) ?? '';
  }

  /** The text below an input box: its prompt or complaint. */
  async message(): Promise<string> {
    await this.opened();
    return this.element.locator('.quick-input-message').innerText();
  }

  /** The labels of the offered entries; waits for the first. */
  async entries(): Promise<string[]> {
    await this.rows.first().waitFor();
    return this.rows.locator('.quick-input-list-row .label-name').allInnerTexts();
  }

  /** Waits until the list, which may be filled in several goes, says the same twice, and answers it. */
  async settled(): Promise<string> {
    let last = '';
    return until('the list of the quick input', async () => {
      const now = (await this.rows.allInnerTexts()).join('\n');
      const same = now === last;
      last = now;
      await this.page.waitForTimeout(100);
      return same ? now : undefined;
    });
  }

  /** Chooses the first entry that matches. */
  async pick(name: string | RegExp): Promise<void> {
    await this.rows.filter({ hasText: name }).first().click();
  }

  /** Ticks entries of a multi-pick and accepts. */
  async tick(...names: readonly (string | RegExp)[]): Promise<void> {
    for (const name of names) await this.rows.filter({ hasText: name }).first().click();
    await this.page.keyboard.press('Enter');
  }

  /** Writes into the input box and accepts; waits until the answer is taken or complained about: a key pressed before would undo it. */
  async enter(text: string): Promise<void> {
    await this.input.waitFor();
    const asked = await this.question();
    await this.input.fill(text);
    await this.page.keyboard.press('Enter');
    await until(`the answer "${text}" is taken`, async () => (await this.question()) !== asked);
  }

  /** What tells one question from the next; none when it is closed. */
  private async question(): Promise<string> {
    const parts = this.element.locator('.quick-input-title, .quick-input-message');
    const texts = await parts.allInnerTexts();
    const boxes = this.element.locator('input[type=text]');
    return [...texts, ...(await attributes(boxes, 'placeholder'))].join('\n');
  }

  async cancel(): Promise<void> {
    await this.opened();
    // A hover that is open takes the first key for itself.
    await until('the quick input closes', async () => {
      await this.page.keyboard.press('Escape');
      return this.element.waitFor({ state: 'hidden', timeout: 1000 }).then(() => true);
    });
  }
}
