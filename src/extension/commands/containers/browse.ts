/** `pinnace.container.browse`: opens a port of a container in the browser: a published one, or on our engine one that is carried to this machine. */
import type { ListeningPort, PortSummary } from '../../../lib/api/containers.ts';
import { EngineError } from '../../../lib/errors.ts';
import type { ContainerNode, Node } from '../../views/nodes.ts';
import type { Command, Desk, PickItem } from '../desk.ts';
import { chooseOne, containerNode, CONTAINERS } from '../targets.ts';

/** The command of the carried ports: takes a container's id, its name and the port, gives the local port. Not in package.json. */
export const FORWARD = '_pinnace.ports.forward';

type Way =
  | {
      readonly kind: 'published';
      readonly host: string;
      readonly port: number;
      readonly inside: number;
    }
  | { readonly kind: 'inside'; readonly port: number };

export const browse: Command = {
  id: 'pinnace.container.browse',
  title: 'Open in Browser',
  category: 'Pinnace Containers',
  icon: '$(globe)',
  run: async (desk, targets) => {
    const found = await chosen(desk, targets);
    if (found === undefined) return;
    const { node, port } = found;
    const items = (await ways(desk, node)).filter(
      ({ value }) => port === undefined || insideOf(value) === port,
    );
    const [only] = items;
    if (only === undefined) throw new EngineError('conflict', nothing(desk, found));
    const way = items.length === 1 ? only.value : await desk.pick('Open which port?', items);
    if (way === undefined) return;
    if (way.kind === 'published') {
      await desk.openExternal(url(way.host, way.port, way.inside));
      return;
    }
    const local = await desk.execute(FORWARD, node.id, node.name, way.port);
    if (typeof local !== 'number')
      throw new EngineError('internal', `port ${way.port} of ${node.name} was not forwarded`);
    await desk.openExternal(url('localhost', local, way.port));
  },
};

interface Chosen {
  readonly node: ContainerNode;
  /** The port inside, where a port's row was chosen. */
  readonly port?: number;
}

async function chosen(desk: Desk, targets: readonly Node[]): Promise<Chosen | undefined> {
  const [first] = targets;
  if (first?.kind === 'port') {
    const { client } = await desk.engines.ready();
    const [summary] = await client.containers.list({ filters: { id: [first.container] } });
    if (summary === undefined) throw new EngineError('conflict', 'The container is not running.');
    return { node: containerNode(summary), port: first.port };
  }
  const node = await chooseOne(desk, CONTAINERS, targets, {
    title: 'Open a port of which container?',
    accept: ({ summary }) => summary.State === 'running',
    none: 'No container is running.',
  });
  return node === undefined ? undefined : { node };
}

function nothing(desk: Desk, { node, port }: Chosen): string {
  if (port !== undefined) return `Nothing in ${node.name} listens on port ${port}.`;
  return desk.engines.active.has('pinnace')
    ? `${node.name} publishes no TCP port, and nothing in it listens on one.`
    : `${node.name} publishes no TCP port. Create it again with -p to reach it.`;
}

function insideOf(way: Way): number {
  return way.kind === 'published' ? way.inside : way.port;
}

/** Published ports first; what only listens inside, where our engine can reach it. */
async function ways(desk: Desk, node: ContainerNode): Promise<PickItem<Way>[]> {
  const { client, entry, has } = await readyEngine(desk);
  const host = hostOf(entry.address);
  // Podman sends null for a container without ports.
  const ports = (node.summary.Ports as PortSummary[] | null) ?? [];
  const published = new Map<number, PickItem<Way>>();
  for (const { PublicPort: port, PrivatePort: inside, Type, IP } of ports) {
    if (port === undefined || port === 0 || Type !== 'tcp' || published.has(port)) continue;
    const own = ['', '0.0.0.0', '::', undefined].includes(IP);
    const name = own ? host : IP?.includes(':') === true ? `[${IP}]` : (IP ?? host);
    published.set(port, {
      label: `${name}:${String(port)}`,
      description: `port ${String(inside)} of the container`,
      value: { kind: 'published', host: name, port, inside },
    });
  }
  if (!has) return [...published.values()];
  const taken = new Set([...published.values()].map(({ value }) => insideOf(value)));
  const listening = (await client.containers.listeningPorts(node.id)).filter(
    ({ port }) => !taken.has(port),
  );
  const inside = new Map(listening.map((entryOf) => [entryOf.port, insideItem(entryOf)]));
  return [...published.values(), ...inside.values()];
}

function insideItem({ port, process }: ListeningPort): PickItem<Way> {
  return {
    label: `port ${String(port)}`,
    description: `${process ?? 'something'} listens in the container; forwarded to this machine`,
    value: { kind: 'inside', port },
  };
}

async function readyEngine(desk: Desk) {
  const engine = await desk.engines.ready();
  return { client: engine.client, entry: engine.entry, has: engine.has('pinnace') };
}

/** Where published ports are reached: the engine's machine. */
function hostOf(address: string): string {
  const remote = /^(?:tcp|ssh|https?):\/\/(?:[^@/]*@)?(\[[^\]]+\]|[^:/]+)/.exec(address);
  return remote?.[1] ?? 'localhost';
}

function url(host: string, port: number, inside: number): string {
  const secure = [443, 8443, 9443].includes(inside) || port === 443;
  return `${secure ? 'https' : 'http'}://${host}:${String(port)}`;
}
