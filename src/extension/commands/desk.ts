/** What commands need of the editor: the narrow side of `vscode` that they are given, so that they can be tested without it. */
import type { Readable, Writable } from 'node:stream';
import type { Cli } from '../engine/cli.ts';
import type { Engines } from '../engine/engines.ts';
import type { LiveStore } from '../live/store.ts';
import type { CredentialSource } from '../registries/credentials.ts';
import type { Node } from '../views/nodes.ts';

export interface PickItem<T> {
  readonly label: string;
  readonly description?: string;
  readonly detail?: string;
  readonly picked?: boolean;
  readonly value: T;
}

export interface Question {
  readonly title: string;
  readonly prompt?: string;
  readonly placeholder?: string;
  readonly value?: string;
  readonly secret?: boolean;
  /** A sentence that says what is wrong, or undefined. */
  readonly check?: (value: string) => string | undefined;
}

export interface Step {
  readonly message?: string;
  /** Percent of the whole, added to what was reported before. */
  readonly increment?: number;
}

/** A terminal of the editor whose other end is ours. */
export interface TerminalSession {
  readonly name: string;
  /**
   * Called when the terminal is shown, with its size in characters. What is read from `input` was typed, what is written
   * to `output` is shown. The promise's number is the exit status; a rejection's message is shown in the terminal.
   */
  run(io: {
    readonly input: Readable;
    readonly output: Writable;
    readonly size: { readonly columns: number; readonly rows: number };
    onResize(listener: (size: { readonly columns: number; readonly rows: number }) => void): void;
    /** Aborted when the terminal is closed. */
    readonly signal: AbortSignal;
  }): Promise<number>;
}

/** Small values that outlive the window: of the workspace, or of the user. */
export interface Memory {
  get(key: string): unknown;
  set(key: string, value: unknown): Promise<void>;
}

export interface Desk {
  readonly cli: Cli;
  readonly engines: Engines;
  readonly live: LiveStore;
  /** Who the user is at registries: what pulls and pushes ask. */
  readonly credentials: CredentialSource;
  readonly workspaceMemory: Memory;
  readonly userMemory: Memory;
  /** Flags of `engine start` that the settings ask for. */
  startArguments(): readonly string[];
  /** The path of a file that the extension ships: `out/native/busybox`. */
  asset(path: string): string;
  /** A setting below `pinnace.`. */
  setting(key: string): unknown;
  /** Changes a setting below `pinnace.` for the user. */
  setSetting(key: string, value: unknown): Promise<void>;
  /** Folders of the window that are on a disk. */
  folders(): readonly { readonly name: string; readonly path: string }[];
  /** False in restricted mode: nothing of the folder may run. */
  trusted(): boolean;
  /** Says something that asks for no answer but may have buttons; gives the one that was chosen. */
  inform(message: string, ...actions: string[]): Promise<string | undefined>;
  /** Shows an error with buttons; gives the one that was chosen. */
  complain(message: string, ...actions: string[]): Promise<string | undefined>;
  /** A modal question before something that cannot be undone; true for `action`. */
  confirm(question: {
    readonly message: string;
    readonly detail?: string;
    readonly action: string;
  }): Promise<boolean>;
  pick<T>(title: string, items: readonly PickItem<T>[]): Promise<T | undefined>;
  pickMany<T>(title: string, items: readonly PickItem<T>[]): Promise<readonly T[] | undefined>;
  ask(question: Question): Promise<string | undefined>;
  /** A file or folder that is there; its path. */
  chooseFile(options: {
    readonly title: string;
    readonly folder: boolean;
  }): Promise<string | undefined>;
  /** A file to write; its path. */
  chooseTarget(options: {
    readonly title: string;
    readonly name: string;
  }): Promise<string | undefined>;
  /** Shows progress with a cancel button while the work runs. */
  progress<T>(
    title: string,
    work: (signal: AbortSignal, report: (step: Step) => void) => Promise<T>,
  ): Promise<T>;
  /** Opens a read-only document; `language` is an editor's language id. */
  show(document: {
    readonly name: string;
    readonly text: string;
    readonly language?: string;
  }): Promise<void>;
  terminal(session: TerminalSession): void;
  copy(text: string): Promise<void>;
  openExternal(url: string): Promise<void>;
  /** Runs another command of the editor. */
  execute(id: string, ...args: unknown[]): Promise<unknown>;
}

/** A command of the palette, of menus and of trees. `id`, `title` and `icon` are those of package.json; a test compares them. */
export interface Command {
  readonly id: string;
  readonly title: string;
  /** Before the title in the palette; `Pinnace` where there is none. */
  readonly category?: string;
  /** A codicon, `$(play)`, where the command is shown as a button. */
  readonly icon?: string;
  /**
   * `targets` are the selected nodes of a tree, none when it comes from the palette: the command then asks which.
   * `argument` is what another caller handed over (a code lens, `execute`).
   * What it throws is shown as an error (EngineError of kind cancelled: not at all).
   */
  readonly run: (desk: Desk, targets: readonly Node[], argument: unknown) => Promise<void>;
}
