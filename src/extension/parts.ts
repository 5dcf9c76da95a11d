/** What an area of the extension (trees, files, builds, dev containers…) is given to plug itself into the editor. Shapes only. */
import type { Disposable, ExtensionContext, LogOutputChannel } from 'vscode';
import type { Desk } from './commands/desk.ts';
import type { Engines } from './engine/engines.ts';
import type { FirstSteps } from './first-steps.ts';
import type { LiveStore } from './live/store.ts';
import type { CredentialSource } from './registries/credentials.ts';
import type { Node } from './views/nodes.ts';

export interface Parts {
  readonly context: ExtensionContext;
  readonly desk: Desk;
  readonly engines: Engines;
  readonly live: LiveStore;
  /** The output channel "Pinnace". */
  readonly log: LogOutputChannel;
  /** Hears what ticks the walkthrough's steps. */
  readonly firstSteps: Pick<FirstSteps, 'did'>;
  /** Says who answers for registries' credentials from now on; nobody is signed in before. */
  provideCredentials(source: CredentialSource): void;
  /**
   * Tells what is selected in a tree, for commands that come from keys: a key binding of package.json has
   * `"args": {"view": "pinnace.containers"}` and its command then gets that tree's selection as its targets.
   */
  selection(view: string, selected: () => readonly Node[]): Disposable;
}

/** Plugs an area in; what it makes goes to `context.subscriptions`. May load the area's code first. */
export type Area = (parts: Parts) => void | Promise<void>;
