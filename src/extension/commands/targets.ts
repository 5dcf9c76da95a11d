/** Which objects an action works on: the nodes that were selected, or those that the user picks when it comes from the palette. */
import type { Client } from '../../client/api/client.ts';
import { isStandIn } from '../../client/files/stand-in-mark.ts';
import type { ContainerSummary } from '../../lib/api/containers.ts';
import type { ImageSummary } from '../../lib/api/images.ts';
import { EngineError } from '../../lib/errors.ts';
import type { ContainerNode, ImageNode, NetworkNode, Node, VolumeNode } from '../views/nodes.ts';
import type { Desk, PickItem } from './desk.ts';

/** What can be picked: the nodes of one kind, with the way in which they are found and shown. */
export interface Kind<N> {
  /** `container`, for sentences. */
  readonly one: string;
  /** Of a node that was selected: itself, what it stands for or holds, or nothing. */
  readonly from: (node: Node) => readonly N[];
  readonly list: (client: Client) => Promise<readonly N[]>;
  readonly item: (node: N) => PickItem<N>;
  readonly key: (node: N) => string;
}

export interface Choice<N> {
  /** Of the question: `Start which containers?` */
  readonly title: string;
  /** Leaves out what the action cannot work on. */
  readonly accept?: (node: N) => boolean;
  /** Said when nothing is left: `No container is stopped.` */
  readonly none: string;
}

/** The selected nodes that the action can work on, or those picked; undefined when the user picked nothing. Throws `conflict` with `none` where there are none. */
export async function chooseMany<N>(
  desk: Desk,
  kind: Kind<N>,
  targets: readonly Node[],
  choice: Choice<N>,
): Promise<readonly N[] | undefined> {
  const found = await candidates(desk, kind, targets, choice);
  if (targets.length > 0) return found;
  const picked = await desk.pickMany(choice.title, found.map(kind.item));
  return picked === undefined || picked.length === 0 ? undefined : picked;
}

/** The same for an action on a single object: of several selected ones the first. */
export async function chooseOne<N>(
  desk: Desk,
  kind: Kind<N>,
  targets: readonly Node[],
  choice: Choice<N>,
): Promise<N | undefined> {
  const found = await candidates(desk, kind, targets, choice);
  if (targets.length > 0) return found[0];
  return desk.pick(choice.title, found.map(kind.item));
}

async function candidates<N>(
  desk: Desk,
  kind: Kind<N>,
  targets: readonly Node[],
  { accept = () => true, none }: Choice<N>,
): Promise<readonly N[]> {
  const nodes =
    targets.length > 0
      ? targets.flatMap((node) => kind.from(node))
      : await kind.list((await desk.engines.ready()).client);
  const unique = new Map(nodes.filter(accept).map((node) => [kind.key(node), node]));
  if (unique.size === 0) throw new EngineError('conflict', none);
  return [...unique.values()];
}

export function containerNode(summary: ContainerSummary): ContainerNode {
  const name = (summary.Names[0] ?? summary.Id.slice(0, 12)).replace(/^\//, '');
  return { kind: 'container', id: summary.Id, name, summary };
}

/** One node for each tag; the image itself where it has none. */
export function imageNodes(summary: ImageSummary): ImageNode[] {
  // Podman and old engines send null, or `<none>:<none>` for an image without a tag.
  const sent = summary.RepoTags as readonly string[] | null;
  const tags = (sent ?? []).filter((tag) => !tag.includes('<none>'));
  return (tags.length === 0 ? [summary.Id] : tags).map((reference) => ({
    kind: 'image',
    id: summary.Id,
    reference,
    summary,
  }));
}

/** How an image is called in sentences: its tag, or the first twelve digits of its id. */
export function imageName(node: ImageNode): string {
  return node.reference.startsWith('sha256:') ? shortId(node.reference) : node.reference;
}

/** Twelve digits, as the command line shows them. */
export function shortId(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12);
}

export const CONTAINERS: Kind<ContainerNode> = {
  one: 'container',
  from: (node) => {
    if (node.kind === 'container') return [node];
    if (node.kind === 'devcontainer') return [containerNode(node.summary)];
    if (node.kind === 'group')
      return node.children.filter((child): child is ContainerNode => child.kind === 'container');
    return [];
  },
  list: async (client) =>
    (await client.containers.list({ all: true }))
      .filter((summary) => !isStandIn(summary))
      .map(containerNode),
  item: (node) => ({
    label: node.name,
    description: node.summary.Image,
    detail: node.summary.Status,
    value: node,
  }),
  key: (node) => node.id,
};

export const IMAGES: Kind<ImageNode> = {
  one: 'image',
  from: (node) => {
    if (node.kind === 'image') return [node];
    if (node.kind === 'group')
      return node.children.filter((child): child is ImageNode => child.kind === 'image');
    return [];
  },
  list: async (client) => (await client.images.list()).flatMap(imageNodes),
  item: (node) => ({ label: imageName(node), description: shortId(node.id), value: node }),
  key: (node) => node.reference,
};

export const VOLUMES: Kind<VolumeNode> = {
  one: 'volume',
  from: (node) => (node.kind === 'volume' ? [node] : []),
  list: async (client) =>
    ((await client.volumes.list()).Volumes ?? []).map((info) => ({
      kind: 'volume',
      name: info.Name,
      info,
    })),
  item: (node) => ({ label: node.name, description: node.info.Driver, value: node }),
  key: (node) => node.name,
};

export const NETWORKS: Kind<NetworkNode> = {
  one: 'network',
  from: (node) => (node.kind === 'network' ? [node] : []),
  list: async (client) =>
    (await client.networks.list()).map((info) => ({
      kind: 'network',
      id: info.Id,
      name: info.Name,
      info,
    })),
  item: (node) => ({ label: node.name, description: node.info.Driver, value: node }),
  key: (node) => node.id,
};

/** The networks that every engine has and that nobody may remove. */
export function isPredefined(node: NetworkNode): boolean {
  return ['bridge', 'host', 'none', 'podman'].includes(node.name);
}
