/** The page of a walkthrough: its steps, their ticks, pictures and buttons. */
import type { Locator, Page } from 'playwright-core';
import type { Workbench } from './workbench.ts';

export class Walkthrough {
  readonly element: Locator;

  constructor(page: Page) {
    this.element = page.locator('.gettingStartedContainer');
  }

  async open(workbench: Workbench, title: string): Promise<void> {
    await workbench.command('Welcome: Open Walkthrough...');
    await workbench.quickInput.pick(title);
    await this.element.locator('.step-title').first().waitFor();
  }

  /** The titles in their order. */
  async steps(): Promise<string[]> {
    return this.element.locator('.step-list-container .step-title').allInnerTexts();
  }

  async isTicked(step: string): Promise<boolean> {
    return (await this.ticks(step).count()) > 0;
  }

  /** Waits until the step is ticked. */
  async ticked(step: string): Promise<void> {
    await this.ticks(step).first().waitFor();
  }

  async select(step: string): Promise<void> {
    await this.row(step).click();
    await this.element.locator('.getting-started-step.expanded', { hasText: step }).waitFor();
  }

  /** Waits for the picture of the selected step. */
  async picture(): Promise<void> {
    const media = this.element.locator('.getting-started-media iframe').contentFrame();
    await media.frameLocator('#active-frame').locator('svg').first().waitFor();
  }

  async press(button: string): Promise<void> {
    const step = this.element.locator('.getting-started-step.expanded');
    await step.getByRole('button', { name: button }).click();
  }

  private row(step: string): Locator {
    return this.element.locator('.getting-started-step').filter({ hasText: step }).first();
  }

  private ticks(step: string): Locator {
    return this.row(step).locator('.codicon-getting-started-step-checked.complete');
  }
}
