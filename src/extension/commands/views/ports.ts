/** Opens a published port in the browser and copies its address. What the address is comes from the live store, never from the caller. */
import { EngineError } from '../../../lib/errors.ts';
import { isEveryAddress, nameOf, type Port, portsOf } from '../../views/containers/facts.ts';
import { OPEN_PORT, portText } from '../../views/containers/row.ts';
import type { Node } from '../../views/nodes.ts';
import type { Command, Desk } from '../desk.ts';

interface Published {
  readonly container: string;
  readonly name: string;
  readonly port: Port;
}

export const openPort: Command = {
  id: OPEN_PORT,
  title: 'Open Port in Browser',
  icon: '$(link-external)',
  run: async (desk, targets, argument) => {
    const chosen = await choose(desk, targets, argument);
    if (chosen === undefined) return;
    const { port } = chosen;
    const scheme = port.port === 443 || port.port === 8443 ? 'https' : 'http';
    await desk.openExternal(`${scheme}://${addressOf(desk, port)}/`);
  },
};

export const copyPort: Command = {
  id: 'pinnace.port.copy',
  title: 'Copy Address of Port',
  icon: '$(copy)',
  run: async (desk, targets, argument) => {
    const chosen = await choose(desk, targets, argument);
    if (chosen !== undefined) await desk.copy(addressOf(desk, chosen.port));
  },
};

/** `localhost:8080`; of an engine on another machine that machine's name. */
function addressOf(desk: Desk, { published }: Port): string {
  const address = published?.address ?? '';
  const every = isEveryAddress(address) || address === '127.0.0.1' || address === '::1';
  const host = every ? engineHost(desk.engines.active.entry.address) : address;
  return `${host.includes(':') ? `[${host}]` : host}:${published?.port ?? 0}`;
}

/** The machine of an engine's address, as a browser here has to call it. */
export function engineHost(address: string): string {
  const found = /^(?:tcp|ssh|https?):\/\/(?:[^@/]*@)?(\[[^\]]+\]|[^:/]+)/.exec(address);
  const host = found?.[1]?.replace(/^\[|\]$/g, '') ?? 'localhost';
  return host === '127.0.0.1' || host === '::1' || host === '0.0.0.0' ? 'localhost' : host;
}

async function choose(
  desk: Desk,
  targets: readonly Node[],
  argument: unknown,
): Promise<Published | undefined> {
  const [target] = targets;
  const wanted = target?.kind === 'port' ? target : argument;
  const all = publishedPorts(desk);
  if (isTarget(wanted)) {
    const { container, port, protocol } = wanted;
    const exact = 'published' in wanted ? wanted.published : undefined;
    const same = all.filter(
      (each) =>
        each.container === container && each.port.port === port && each.port.protocol === protocol,
    );
    const found = same.find((each) => each.port.published?.port === exact?.port) ?? same[0];
    if (found === undefined) {
      throw new EngineError(
        'not-found',
        `Port ${port}/${protocol} is not published: start the container, or run it anew with "-p ${port}".`,
      );
    }
    return found;
  }
  if (all.length === 0) {
    throw new EngineError('not-found', 'No running container publishes a port.');
  }
  return desk.pick(
    'Which port?',
    all.map((each) => ({ label: each.name, description: portText(each.port), value: each })),
  );
}

function publishedPorts(desk: Desk): readonly Published[] {
  return [...desk.live.all('container').values()].flatMap((summary) =>
    portsOf(summary)
      .filter(({ published, protocol }) => published !== undefined && protocol === 'tcp')
      .map((port) => ({ container: summary.Id, name: nameOf(summary), port })),
  );
}

interface Target {
  readonly container: string;
  readonly port: number;
  readonly protocol: string;
  readonly published?: Port['published'];
}

function isTarget(value: unknown): value is Target {
  return (
    typeof value === 'object' &&
    value !== null &&
    'container' in value &&
    typeof value.container === 'string' &&
    'port' in value &&
    typeof value.port === 'number' &&
    'protocol' in value &&
    typeof value.protocol === 'string'
  );
}
