/** The terminal panel. What it shows is drawn on a canvas, so tests let its commands write files, or read its accessible buffer. */
import type { Locator, Page } from 'playwright-core';
import { until } from './patience.ts';
import { QuickInput } from './quick-input.ts';

export class Terminal {
  readonly element: Locator;
  private readonly page: Page;

  constructor(page: Page) {
    this.page = page;
    this.element = page.locator('.terminal-wrapper.active, .terminal-wrapper').first();
  }

  /** Opens a new terminal. */
  async create(): Promise<this> {
    await new QuickInput(this.page).command('Terminal: Create New Terminal');
    return this.opened();
  }

  /** Waits for a terminal that somebody has opened. */
  async opened(): Promise<this> {
    await this.page.locator('.terminal-wrapper .xterm').first().waitFor();
    return this;
  }

  /** Writes a line and Enter. */
  async send(line: string): Promise<void> {
    const active = this.page.locator('.terminal-wrapper.active .xterm').last();
    const any = this.page.locator('.terminal-wrapper .xterm').last();
    await ((await active.count()) > 0 ? active : any).click();
    await this.page.keyboard.type(line);
    await this.page.keyboard.press('Enter');
  }

  /** The names of the terminals, from the tabs or the single one's title. */
  async names(): Promise<string[]> {
    const tabs = this.page.locator('.terminal-tabs-entry');
    const texts = (await tabs.count()) > 0 ? tabs : this.page.locator('.single-terminal-tab');
    return texts.allInnerTexts();
  }

  /** What the terminal has written so far, through the accessible view. */
  async text(): Promise<string> {
    await this.page.locator('.terminal-wrapper .xterm').last().click();
    await this.page.keyboard.press('Alt+F2');
    const view = this.page.locator(
      '.accessible-view .view-line, .terminal-accessible-buffer .view-line',
    );
    await view.first().waitFor();
    const lines = await view.allInnerTexts();
    await this.page.keyboard.press('Escape');
    return lines.join('\n').replaceAll('\u00a0', ' ');
  }

  /** Waits until the terminal's text matches. */
  async shows(what: RegExp): Promise<string> {
    return until(`the terminal shows ${String(what)}`, async () => {
      const text = await this.text();
      return what.test(text) ? text : undefined;
    });
  }
}
