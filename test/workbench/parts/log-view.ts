/** The view of a container's log: what it shows, its search and its switches. */
import type { FrameLocator, Page } from 'playwright-core';
import { until } from './patience.ts';
import { Webview } from './webview.ts';

export class LogView {
  readonly frame: FrameLocator;

  constructor(frame: FrameLocator) {
    this.frame = frame;
  }

  static async opened(page: Page): Promise<LogView> {
    return new LogView(await new Webview(page).content('.scroller'));
  }

  /** The rows that are drawn now. */
  rows(): Promise<string[]> {
    return this.frame.locator('.row').allInnerTexts();
  }

  async shows(text: string): Promise<void> {
    await until(`the log shows ${text}`, async () =>
      (await this.rows()).some((row) => row.includes(text)),
    );
  }

  async amount(): Promise<string> {
    return this.frame.locator('.amount').innerText();
  }

  async state(): Promise<string> {
    return this.frame.locator('.state').innerText();
  }

  async press(title: string): Promise<void> {
    await this.frame.getByRole('button', { name: title }).click();
  }

  async isPressed(title: string): Promise<boolean> {
    const button = this.frame.getByRole('button', { name: title });
    return (await button.getAttribute('aria-pressed')) === 'true';
  }

  /** Writes into the search box and waits for what the count says in the end: it counts while it searches. */
  async search(text: string, count: RegExp): Promise<void> {
    await this.frame.getByRole('textbox', { name: 'Search the log' }).fill(text);
    const shown = this.frame.locator('.count');
    await until(`the search counts ${String(count)}`, async () =>
      count.test(await shown.innerText()),
    );
  }
}
