/** The tab that shows a build: its head, its steps and their logs. */
import type { FrameLocator } from 'playwright-core';
import { until } from './patience.ts';
import type { Webview } from './webview.ts';

export class BuildView {
  private readonly webview: Webview;

  constructor(webview: Webview) {
    this.webview = webview;
  }

  /** Waits until the build has ended so. */
  async ended(status: 'Succeeded' | 'Failed' | 'Cancelled'): Promise<FrameLocator> {
    const frame = await this.frame();
    await frame.locator('.status', { hasText: status }).waitFor();
    return frame;
  }

  async began(text: string): Promise<FrameLocator> {
    const frame = await this.frame();
    await frame.locator('details.step.running', { hasText: text }).waitFor();
    return frame;
  }

  /** The steps as one line of text each. */
  async steps(): Promise<string[]> {
    const frame = await this.frame();
    const found = await frame.locator('details.step:not([hidden]) > summary').allInnerTexts();
    return found.map((text) => text.replaceAll(/\s+/g, ' ').trim());
  }

  /** The log of the step that says `text`, opened when it is closed. */
  async log(text: string, wanted: RegExp): Promise<string> {
    const frame = await this.frame();
    const step = frame.locator('details.step', { hasText: text }).first();
    if ((await step.getAttribute('open')) === null) await step.locator('summary').click();
    let log = '';
    await until(`the log of ${text}`, async () => {
      log = await step.locator('.log').innerText();
      return wanted.test(log);
    });
    return log;
  }

  async press(button: string): Promise<void> {
    const frame = await this.frame();
    await frame.getByRole('button', { name: button }).click();
  }

  frame(): Promise<FrameLocator> {
    return this.webview.content();
  }
}
