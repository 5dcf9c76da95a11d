/** One window of the workbench: the way to all of its parts. */
import type { Page } from 'playwright-core';
import { ActivityBar } from './activity-bar.ts';
import { Dialog } from './dialog.ts';
import { Editor } from './editor.ts';
import { Notifications } from './notifications.ts';
import { PATIENCE } from './patience.ts';
import { Problems } from './problems.ts';
import { QuickInput } from './quick-input.ts';
import { SideBar } from './side-bar.ts';
import { StatusBar } from './status-bar.ts';
import { Terminal } from './terminal.ts';
import { Webview } from './webview.ts';

export class Workbench {
  readonly page: Page;
  readonly activityBar: ActivityBar;
  readonly sideBar: SideBar;
  readonly quickInput: QuickInput;
  readonly notifications: Notifications;
  readonly editor: Editor;
  readonly problems: Problems;
  readonly terminal: Terminal;
  readonly webview: Webview;
  readonly statusBar: StatusBar;
  readonly dialog: Dialog;

  constructor(page: Page) {
    this.page = page;
    this.activityBar = new ActivityBar(page);
    this.sideBar = new SideBar(page);
    this.quickInput = new QuickInput(page);
    this.notifications = new Notifications(page);
    this.editor = new Editor(page);
    this.problems = new Problems(page);
    this.terminal = new Terminal(page);
    this.webview = new Webview(page);
    this.statusBar = new StatusBar(page);
    this.dialog = new Dialog(page);
  }

  /** Opens the workbench at a folder (or without one) and waits until it and its extension host are up. */
  async open(url: string, folder?: string): Promise<void> {
    const query = folder === undefined ? 'ew=true' : `folder=${encodeURIComponent(folder)}`;
    await this.page.goto(`${url}/?${query}`, { timeout: 2 * PATIENCE });
    await this.loaded();
  }

  async loaded(): Promise<void> {
    await this.page.locator('.monaco-workbench .part.statusbar').waitFor({ timeout: 2 * PATIENCE });
    await this.page
      .locator('.activitybar [role=tab]')
      .first()
      .waitFor({ timeout: 2 * PATIENCE });
  }

  /** Runs a command of the palette by its title: "Pinnace: Start Engine". */
  command(title: string): Promise<void> {
    return this.quickInput.command(title);
  }

  /** As a person reloads the window: what is to be remembered is written first. */
  async restart(): Promise<void> {
    const gone = this.page.waitForEvent('load', { timeout: 2 * PATIENCE });
    await this.command('Developer: Reload Window');
    await gone;
    await this.loaded();
  }

  /** Reloads the page as a browser does, at once, and waits until it is up again. */
  async reload(): Promise<void> {
    await this.page.reload({ timeout: 2 * PATIENCE });
    await this.loaded();
  }

  /** Trusts the workspace of a window in restricted mode. */
  async trust(): Promise<void> {
    await this.command('Workspaces: Manage Workspace Trust');
    const editor = this.page.locator('.workspace-trust-editor');
    await editor
      .getByRole('button', { name: /^Trust/ })
      .first()
      .click();
    await editor.locator('.workspace-trust-title', { hasText: /You trust/ }).waitFor();
  }

  /** The address that the editor opens outside of itself when that is done: of a new tab, which is closed again. */
  async opens(work: () => Promise<void>): Promise<string> {
    const opened = this.page.context().waitForEvent('page', { timeout: PATIENCE });
    // Where the work fails nobody waits any more.
    opened.catch(() => undefined);
    await work();
    const tab = await opened;
    await tab.waitForURL(/^https?:/, { waitUntil: 'commit' });
    const address = tab.url();
    await tab.close();
    return address;
  }

  /** A PNG of the window. */
  async screenshot(path: string): Promise<void> {
    await this.page.screenshot({ path });
  }
}
