/** Containers dropped onto a network: asks, and connects them. */
import type { ContainerNode, NetworkNode } from '../../views/nodes.ts';
import { isOn } from '../../views/containers/facts.ts';
import type { Desk } from '../desk.ts';
import { forEach, named } from '../each.ts';

/** Those that are on it already are left out. Throws EngineError with all that failed. */
export async function connectDropped(
  desk: Desk,
  network: NetworkNode,
  containers: readonly ContainerNode[],
): Promise<void> {
  const items = containers.filter(({ summary }) => !isOn(summary, network));
  if (items.length === 0) {
    await desk.inform(`On the network ${network.name} already.`);
    return;
  }
  const name = (node: ContainerNode): string => node.name;
  const { what, list } = named(items, 'container', name);
  const confirmed = await desk.confirm({
    message: `Connect ${what} to the network ${network.name}?`,
    ...(list === '' ? {} : { detail: list }),
    action: 'Connect',
  });
  if (!confirmed) return;
  const { client } = await desk.engines.ready();
  await forEach(desk, {
    doing: `Connecting to ${network.name}:`,
    verb: `connect to ${network.name}:`,
    one: 'container',
    items,
    name,
    run: ({ id }) => client.networks.connect(network.id, id),
  });
}
