/** A webview: the document inside its two frames. */
import type { FrameLocator, Page } from 'playwright-core';

export class Webview {
  private readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** The content of the webview that was shown last; with a text, of the one in which it stands. */
  async content(marker?: string): Promise<FrameLocator> {
    const frames = this.page.locator('iframe.webview.ready');
    await frames.last().waitFor();
    const active = frames.last().contentFrame().frameLocator('#active-frame');
    if (marker !== undefined) await active.locator(marker).first().waitFor();
    return active;
  }
}
