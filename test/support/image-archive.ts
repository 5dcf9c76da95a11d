/** Archives of images as `docker save` writes them, honest or with lies in their place. They stay in memory; nothing is loaded. */
import { digestOf } from './image-rig.ts';
import { tar } from './tar.ts';

export interface ImageParts {
  /** `evil:1`; null: without a name. */
  readonly name: string | null;
  /** Layers with the same bytes are one file. */
  readonly layers: readonly Buffer[];
  /** What the configuration says of the layers; default: the truth. */
  readonly diffIds?: readonly string[];
  /** Members of the configuration; as a text: the whole of it. */
  readonly config?: object | string;
  /** The text of manifest.json. */
  readonly manifest?: string;
}

/** By name, of each file its content. */
export type ArchiveFiles = Record<string, Buffer | string>;

/** manifest.json, config.json, 0/layer.tar, 1/layer.tar, … */
export function archiveFiles({ layers, ...parts }: ImageParts): ArchiveFiles {
  const digests = layers.map(digestOf);
  const names = digests.map((digest) => `${String(digests.indexOf(digest))}/layer.tar`);
  const tags = parts.name === null ? null : [parts.name];
  const manifest = [{ Config: 'config.json', RepoTags: tags, Layers: names }];
  const config = {
    os: 'linux',
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    config: { Cmd: ['sh'] },
    rootfs: { type: 'layers', diff_ids: parts.diffIds ?? digests },
  };
  return {
    'manifest.json': parts.manifest ?? JSON.stringify(manifest),
    'config.json':
      typeof parts.config === 'string'
        ? parts.config
        : JSON.stringify({ ...config, ...parts.config }),
    ...Object.fromEntries(names.map((name, at) => [name, layers[at] ?? ''])),
  };
}

export function archiveOfFiles(files: ArchiveFiles): Buffer {
  return tar(Object.entries(files).map(([name, content]) => ({ name, content })));
}

export function imageArchive(parts: ImageParts): Buffer {
  return archiveOfFiles(archiveFiles(parts));
}
