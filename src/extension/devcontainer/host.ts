/** What opening a container needs of the editor beyond the Desk: shapes only; knows no editor. */
import type { Writable } from 'node:stream';
import type { Opened } from '../../client/devcontainer/open.ts';
import type { Desk } from '../commands/desk.ts';
import type { ResolverState } from './choice.ts';

/** The command, known only inside the extension, that gives the Host. */
export const HOST_COMMAND = '_pinnace.devcontainer.host';

export interface Host {
  /** The editor's own files; a server's when it holds out/server-main.js. */
  readonly appRoot: string;
  /** The Node that runs the extension. */
  readonly node: string;
  /** Of the window: `ssh-remote`, `wsl`, …; undefined: this machine. */
  readonly remoteName: string | undefined;
  readonly resolver: ResolverState;
  /** Of the window, where the resolver is ready: `pinnace+…` inside containers. */
  remoteAuthority(): string | undefined;
  /** The proxy of the editor's settings, or ``. */
  proxy(): string;
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
  /** Opens `folder` of a remote authority; in this window it is loaded anew where it is open already. */
  openRemote(
    authority: string,
    folder: string,
    options: { readonly newWindow: boolean },
  ): Promise<void>;
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
