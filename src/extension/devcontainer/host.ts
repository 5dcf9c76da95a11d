/** What opening a container needs of the editor beyond the Desk, and the ways in that an editor has. Shapes and decisions only; knows no editor. */
import type { Writable } from 'node:stream';
import type { Opened } from '../../client/devcontainer/open.ts';
import { EngineError } from '../../lib/errors.ts';
import type { Desk } from '../commands/desk.ts';

/** The command, known only inside the extension, that gives the Host. */
export const HOST_COMMAND = '_pinnace.devcontainer.host';

/** Extensions that open folders over SSH. */
export const SSH_EXTENSIONS = ['ms-vscode-remote.remote-ssh', 'jeanp413.open-remote-ssh'] as const;

export type Way = 'browser' | 'ssh';

export interface Host {
  /** The editor's own files; a server's when it holds out/server-main.js. */
  readonly appRoot: string;
  /** The Node that runs the extension. */
  readonly node: string;
  /** Of the window: `ssh-remote`, `wsl`, …; undefined: this machine. */
  readonly remoteName: string | undefined;
  readonly log: {
    line(text: string): void;
    readonly writable: Writable;
    show(): void;
  };
  /** The texts of the user's settings.json and keybindings.json, where they can be read. */
  userFiles(): { readonly settings?: string; readonly keybindings?: string };
  /** With the roots of the settings: what our own programs are started with. */
  environment(): NodeJS.ProcessEnv;
  hasExtension(id: string): boolean;
  /** Opens `folder` of `user@host` in a window over SSH. */
  openSsh(host: string, folder: string, options: { readonly newWindow: boolean }): Promise<void>;
  openLocal(folder: string): Promise<void>;
  /** Shows a file of this machine, at a line from 1. */
  openFile(path: string, line?: number): Promise<void>;
  /** Tells of ports that programs of the container begin to listen on. */
  watchPorts(opened: Opened): void;
  unwatchPorts(container: string): void;
}

export async function hostOf(desk: Desk): Promise<Host> {
  return (await desk.execute(HOST_COMMAND)) as Host;
}

/** The way that the setting asks for, or the best that there is. Throws `unavailable` naming what is missing. */
export function wayOf(
  setting: unknown,
  facts: { readonly server: boolean; readonly ssh: boolean },
): Way {
  if (setting === 'browser' || setting === 'ssh') {
    if (setting === 'browser' ? facts.server : facts.ssh) return setting;
    throw new EngineError(
      'unavailable',
      setting === 'browser'
        ? 'this editor brings no VS Code Server along, so a browser window cannot be opened; set pinnace.devcontainer.open to auto or ssh'
        : `no extension that opens folders over SSH is installed (${SSH_EXTENSIONS.join(' or ')}); install one, or set pinnace.devcontainer.open to auto`,
    );
  }
  if (facts.server) return 'browser';
  if (facts.ssh) return 'ssh';
  throw new EngineError(
    'unavailable',
    `this editor cannot open a window inside a container by itself; install an extension that opens folders over SSH (${SSH_EXTENSIONS.join(' or ')}), or run the editor as a server (code-server, VS Code Server)`,
  );
}
