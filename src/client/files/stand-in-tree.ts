/** The files of an image or a volume of an engine that is not ours: an ArchiveTree of a stand-in container, taken for each call and given back. */
import { Readable } from 'node:stream';
import type { FileEntry, FileList } from '../../lib/api/files.ts';
import { EngineError, kindOf } from '../../lib/errors.ts';
import type { Client } from '../api/client.ts';
import { ArchiveTree } from './archive.ts';
import { PROGRAM, runOnTree } from './stand-in-run.ts';
import { type StandIns, type Lease, VOLUME_ROOT } from './stand-ins.ts';
import { type Signal, type Tree, type TreeName, treeText, type WriteContent } from './tree.ts';

export interface StandInTreeOptions {
  readonly client: Client;
  readonly standIns: StandIns;
  readonly name: TreeName;
  /** The path of a static busybox on this machine: lists what is large, and renames and deletes. */
  readonly program?: string;
}

export class StandInTree implements Tree {
  private readonly options: StandInTreeOptions;
  private hidden: Promise<readonly string[]> | undefined;

  constructor(options: StandInTreeOptions) {
    this.options = options;
  }

  stat(path: string, options: Signal = {}): Promise<FileEntry> {
    return this.with(options, (tree) => tree.stat(path));
  }

  async list(
    path: string,
    options: { readonly after?: string; readonly limit?: number } & Signal = {},
  ): Promise<FileList> {
    await this.checkShown(path);
    return this.with(options, (tree) => tree.list(path, options));
  }

  /** The stand-in stays until the stream has ended. */
  async read(path: string, options: Signal = {}): Promise<Readable> {
    await this.checkShown(path);
    const { lease, value } = await this.lease(options, (tree) => tree.read(path, options));
    value.once('close', lease.release);
    return value;
  }

  write(path: string, content: WriteContent, options: Signal = {}): Promise<void> {
    return this.change(options, (tree) => tree.write(path, content, options));
  }

  makeFolder(path: string, options: Signal = {}): Promise<void> {
    return this.change(options, (tree) => tree.makeFolder(path, options));
  }

  rename(from: string, to: string, options: Signal = {}): Promise<void> {
    return this.change(options, (tree) => tree.rename(from, to, options));
  }

  remove(path: string, options: { readonly recursive: boolean } & Signal): Promise<void> {
    return this.change(options, (tree) => tree.remove(path, options));
  }

  /** Podman lays an empty volume over what the image has there, and fills it only at a container's start. */
  private async checkShown(path: string): Promise<void> {
    if (this.options.name.kind !== 'image') return;
    this.hidden ??= this.hiddenVolumes();
    const volume = (await this.hidden).find((at) => path === at || path.startsWith(`${at}/`));
    if (volume !== undefined)
      throw new EngineError(
        'not-implemented',
        `Podman does not show what the image has in its volume ${volume}; start a container of it and look there`,
      );
  }

  private async hiddenVolumes(): Promise<readonly string[]> {
    const { client, name } = this.options;
    const { Config } = await client.images.inspect(name.id);
    const volumes = Object.keys(Config.Volumes ?? {});
    if (volumes.length === 0) return [];
    const { Components } = await client.system.version();
    const isPodman = Components.some((component) => component.Name.startsWith('Podman'));
    return isPodman ? volumes.map((volume) => volume.replace(/\/+$/, '')) : [];
  }

  private async change(options: Signal, work: (tree: Tree) => Promise<void>): Promise<void> {
    const { name } = this.options;
    if (name.kind === 'image')
      throw new EngineError('forbidden', `${treeText(name)} cannot be changed: images never are`);
    await this.with(options, work);
  }

  private async with<T>(options: Signal, work: (tree: Tree) => Promise<T>): Promise<T> {
    const { lease, value } = await this.lease(options, work);
    lease.release();
    return value;
  }

  /** Somebody's prune may have taken the stand-in away: then once more with a new one. */
  private async lease<T>(
    options: Signal,
    work: (tree: Tree) => Promise<T>,
    { tries }: { readonly tries: number } = { tries: 2 },
  ): Promise<{ readonly lease: Lease; readonly value: T }> {
    const { standIns, name } = this.options;
    options.signal?.throwIfAborted();
    const lease = await standIns.take(name);
    try {
      return { lease, value: await work(this.tree(lease.container)) };
    } catch (error) {
      const isGone = kindOf(error) === 'not-found' && !(await this.isThere(lease.container));
      if (isGone) await standIns.forget(name, lease.container);
      lease.release();
      if (!isGone || tries < 2) throw error;
    }
    return this.lease(options, work, { tries: tries - 1 });
  }

  private async isThere(container: string): Promise<boolean> {
    try {
      await this.options.client.containers.inspect(container);
      return true;
    } catch (error) {
      return kindOf(error) !== 'not-found';
    }
  }

  private tree(id: string): Tree {
    const { client, standIns, name, program } = this.options;
    return new ArchiveTree({
      containers: client.containers,
      id,
      ...(name.kind === 'volume' ? { root: VOLUME_ROOT } : {}),
      tool:
        program === undefined
          ? undefined
          : {
              path: PROGRAM,
              run: (words, options) =>
                runOnTree({ client, standIns, name, program }, words, options),
            },
    });
  }
}
