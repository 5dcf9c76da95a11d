/** The dialog that asks for files and folders of the machine: the editor's own, in the quick input, since a browser has none of that machine. */
import type { Locator, Page } from 'playwright-core';
import { until } from './patience.ts';
import { QuickInput } from './quick-input.ts';

export class FileDialog {
  private readonly quickInput: QuickInput;
  private readonly page: Page;

  constructor(page: Page) {
    this.page = page;
    this.quickInput = new QuickInput(page);
  }

  private get input(): Locator {
    return this.quickInput.input;
  }

  /** Waits until it is there and has read its first folder; what it proposes. */
  async opened(): Promise<string> {
    return this.resting('the file dialog', (value) => value.startsWith('/'));
  }

  /** Chooses a path. A folder is one with a slash at its end. A file that is there is only written over with `replace`. */
  async choose(
    path: string,
    { replace }: { readonly replace: boolean } = { replace: false },
  ): Promise<void> {
    await this.opened();
    // The dialog reads the folder that is typed, and writes into its own box meanwhile.
    await until(`the file dialog takes ${path}`, async () => {
      if ((await this.input.inputValue()) !== path) await this.input.fill(path);
      return (await this.resting(`the folder of ${path}`)) === path;
    });
    const ok = this.quickInput.element.getByRole('button', { name: 'OK' });
    await ok.click();
    if (replace) {
      await this.quickInput.element.getByText(/already exists/).waitFor();
      await ok.click();
    }
    await this.quickInput.element.waitFor({ state: 'hidden' });
  }

  /** The box's text once it, the list and the complaint below have stopped changing. */
  private async resting(
    what: string,
    holds: (value: string) => boolean = () => true,
  ): Promise<string> {
    let last = '';
    let same = 0;
    return until(what, async () => {
      const value = await this.input.inputValue();
      const all = `${value}\n${await this.quickInput.element.innerText()}`;
      const busy = this.quickInput.element.locator('.monaco-progress-container.active');
      same = all === last && (await busy.count()) === 0 ? same + 1 : 0;
      last = all;
      await this.page.waitForTimeout(50);
      return same >= 3 && holds(value) ? value : undefined;
    });
  }
}
