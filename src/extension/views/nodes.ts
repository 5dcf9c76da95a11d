/** The nodes of the trees as data: what commands are given as their targets. Pure; a node holds ids and names, never a connection. */
import type { ContainerSummary } from '../../lib/api/containers.ts';
import type { ImageSummary } from '../../lib/api/images.ts';
import type { NetworkInfo, VolumeInfo } from '../../lib/api/system.ts';

export interface ContainerNode {
  readonly kind: 'container';
  readonly id: string;
  /** Without the leading slash. */
  readonly name: string;
  readonly summary: ContainerSummary;
  /** The network or volume beneath which the container is shown; none: in the list of containers. */
  readonly within?: { readonly kind: 'network' | 'volume'; readonly id: string };
}

/** A port of a container. */
export interface PortNode {
  readonly kind: 'port';
  /** The container's id. */
  readonly container: string;
  /** The port inside. */
  readonly port: number;
  /** `tcp`, `udp`, `sctp`. */
  readonly protocol: string;
  /** Where the engine's machine serves it; undefined: exposed, not published. */
  readonly published: { readonly address: string; readonly port: number } | undefined;
}

/** A tag of an image, or the image itself where it has none. */
export interface ImageNode {
  readonly kind: 'image';
  /** `sha256:…` */
  readonly id: string;
  /** `repository:tag`, or the id: what the engine is asked by. */
  readonly reference: string;
  readonly summary: ImageSummary;
}

export interface LayerNode {
  readonly kind: 'layer';
  readonly image: string;
  /** From the base, 0 first. */
  readonly index: number;
  readonly instruction: string;
  /** Bytes. */
  readonly size: number;
}

export interface VolumeNode {
  readonly kind: 'volume';
  readonly name: string;
  readonly info: VolumeInfo;
}

export interface NetworkNode {
  readonly kind: 'network';
  readonly id: string;
  readonly name: string;
  readonly info: NetworkInfo;
}

/** A heading that holds other nodes: a compose project, a label's value, a status, a repository. */
export interface GroupNode {
  readonly kind: 'group';
  readonly of: 'container' | 'image';
  readonly id: string;
  readonly label: string;
  readonly children: readonly (ContainerNode | ImageNode)[];
}

export interface EngineNode {
  readonly kind: 'engine';
  readonly id: string;
}

export interface RegistryNode {
  readonly kind: 'registry';
  /** `docker.io`, `ghcr.io`, `localhost:5000`. */
  readonly host: string;
}

export interface RepositoryNode {
  readonly kind: 'repository';
  readonly host: string;
  readonly repository: string;
}

export interface TagNode {
  readonly kind: 'tag';
  readonly host: string;
  readonly repository: string;
  readonly tag: string;
}

/** A dev container: the container, and the folder that it belongs to. */
export interface DevContainerNode {
  readonly kind: 'devcontainer';
  readonly id: string;
  readonly name: string;
  readonly folder: string;
  readonly summary: ContainerSummary;
}

/** A build: of this window, or one that the engine remembers. */
export interface BuildNode {
  readonly kind: 'build';
  /** What the journal of builds knows it by. */
  readonly key: string;
  readonly label: string;
}

export interface BuildStepNode {
  readonly kind: 'build-step';
  readonly build: string;
  /** Of the step in the record, from 0. */
  readonly index: number;
}

/** A file or folder below a container, an image or a volume; `root` is the row that holds the others. */
export interface FileNode {
  readonly kind: 'file';
  /** `pinnace-files://…`, as text. */
  readonly uri: string;
  readonly of: 'container' | 'image' | 'volume';
  /** The tag that it is shown below, of images: each tag shows the files of its own. */
  readonly under: string;
  /** Absolute, `/` for the root. */
  readonly path: string;
  readonly name: string;
  /** What a link leads to, for links; `other` for devices and what cannot be opened. */
  readonly type: 'root' | 'directory' | 'file' | 'other';
  /** Bytes. */
  readonly size: number;
  /** Where a symbolic link points. */
  readonly target?: string;
}

/** A row that says something (an error, "no access") and does nothing else. */
export interface MessageNode {
  readonly kind: 'message';
  readonly text: string;
  readonly level: 'info' | 'warning' | 'error';
}

export type Node =
  | ContainerNode
  | PortNode
  | ImageNode
  | LayerNode
  | VolumeNode
  | NetworkNode
  | GroupNode
  | EngineNode
  | RegistryNode
  | RepositoryNode
  | TagNode
  | DevContainerNode
  | FileNode
  | BuildNode
  | BuildStepNode
  | MessageNode;

export type NodeKind = Node['kind'];
