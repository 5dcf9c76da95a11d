/** What commands need of the editor: the narrow side of `vscode` that they are given, so that they can be tested without it. */
import type { Cli } from '../engine/cli.ts';
import type { EngineWatch } from '../engine/watch.ts';

export interface Desk {
  readonly cli: Cli;
  readonly engine: Pick<EngineWatch, 'refresh'>;
  /** Flags of `engine start` that the settings ask for. */
  startArguments(): readonly string[];
  /** Says something that asks for no answer. */
  inform(message: string): void;
  /** Shows an error with buttons; gives the one that was chosen. */
  complain(message: string, ...actions: string[]): Promise<string | undefined>;
  /** Shows progress with a cancel button while the work runs. */
  progress<T>(title: string, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** Opens a read-only document. */
  show(document: { readonly name: string; readonly text: string }): Promise<void>;
  /** Runs another command of the table. */
  execute(id: string): Promise<void>;
}

/** A command of the palette. `id` and `title` are those of package.json; a test compares them. */
export interface Command {
  readonly id: string;
  readonly title: string;
  readonly run: (desk: Desk) => Promise<void>;
}
