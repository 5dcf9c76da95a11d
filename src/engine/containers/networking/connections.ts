/** Joins containers with their networks through their lives: addresses before the start, links before the first instruction, everything back at the end; connect and disconnect in between. */

import type { EndpointSettings } from '../../../lib/api/containers.ts';
import { EngineError } from '../../../lib/errors.ts';
import { plainAddresses } from '../../network/naming.ts';
import { LOOPBACK_ONLY } from '../../network/networks.ts';
import type {
  Endpoint,
  EndpointWish,
  LiveNetwork,
  NetworkRecord,
  Networks,
  Prepared,
  ProcessRef,
  Sandboxes,
} from '../../network/types.ts';
import type { Container } from '../container.ts';
import type { ContainerTable } from '../table.ts';
import { portWishes } from './ports.ts';
import { withoutLink } from './links.ts';
import { isOnNone, tenantOf } from './settings.ts';
import { checkStatic, checkWish } from './wishes.ts';

/** How long the end of a container waits for its links and ports to go. */
const RELEASE_MS = 2000;

export interface ConnectionsParts {
  readonly networks: Networks;
  readonly sandboxes: Sandboxes;
  readonly table: ContainerTable;
  /** Writes hosts and resolv.conf of a running container anew. */
  readonly rewrite: (
    container: Container,
    change: { readonly before: readonly Endpoint[]; readonly after: readonly Endpoint[] },
  ) => Promise<void>;
  /** Takes a linked container's line out of hosts. */
  readonly forgetHost: (
    container: Container,
    line: { readonly address: string; readonly alias: string },
  ) => Promise<void>;
}

export class Connections {
  readonly #parts: ConnectionsParts;

  constructor(parts: ConnectionsParts) {
    this.#parts = parts;
  }

  /** Addresses for a start; undefined where the container has no networks of its own. Throws not-found, Docker's address errors. */
  prepare(container: Container): Prepared | undefined {
    const { sandboxes, networks } = this.#parts;
    if (!sandboxes.possible) return undefined;
    const wishes = Object.entries(container.definition.networks);
    if (wishes.length === 0) return undefined;
    for (const [name, wish] of wishes) {
      if (wish.ipv4 !== undefined || wish.ipv6 !== undefined)
        checkStatic(name, networks.find(name));
    }
    const last = container.state.network?.endpoints ?? [];
    const withLast = wishes.map(([name, wish]): [string, EndpointWish] => {
      const before = last.find(({ networkName }) => networkName === name);
      return [name, before === undefined ? wish : { ...wish, last: plainAddresses(before) }];
    });
    return sandboxes.prepare(tenantOf(container), new Map(withLast));
  }

  connect(container: Container, prepared: Prepared, process: ProcessRef): Promise<LiveNetwork> {
    const { config, hostConfig } = container.definition;
    return this.#parts.sandboxes.connect(prepared, process, portWishes(config, hostConfig));
  }

  /** After a start that failed, whatever it had reached. */
  async undo(container: Container, prepared: Prepared | undefined): Promise<void> {
    if (prepared === undefined) return;
    await this.release(container);
    this.#parts.sandboxes.abandon(prepared);
  }

  /** At the container's end; a helper that does not answer is not waited for. */
  async release(container: Container): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, RELEASE_MS);
    });
    await Promise.race([this.#parts.sandboxes.disconnect(container.id), late]);
    clearTimeout(timer);
  }

  /** Takes up a container of the last engine. */
  adopt(container: Container, process: ProcessRef): void {
    const live = container.state.network;
    if (live == null || live.endpoints.length === 0) return;
    this.#parts.sandboxes.adopt(tenantOf(container), process, live);
  }

  renamed(container: Container): void {
    this.#parts.sandboxes.rename(container.id, container.name);
  }

  /** `network connect`. Throws not-found, invalid, forbidden, conflict. */
  join(container: Container, reference: string, settings: EndpointSettings): Promise<void> {
    const { networks, sandboxes, table } = this.#parts;
    const network = networks.find(reference);
    return container.turns.run(async () => {
      checkMember(container, network);
      if (network.driver === 'null') {
        table.saveDefinition(container, { leftNone: false });
        return;
      }
      const wish = checkWish(network.name, settings, () => network);
      const wishes = { ...container.definition.networks, [network.name]: wish };
      if (!container.isLive) {
        table.saveDefinition(container, { networks: wishes });
        return;
      }
      if (!sandboxes.possible) throw new EngineError('unavailable', LOOPBACK_ONLY);
      if (Object.hasOwn(container.definition.networks, network.name)) {
        throw new EngineError(
          'forbidden',
          `endpoint with name ${container.name} already exists in network ${network.name}`,
        );
      }
      const live = await this.#joinLive(container, network, wish);
      table.saveDefinition(container, { networks: wishes });
      await this.#changed(container, live);
    });
  }

  /** `network disconnect`. Throws not-found, invalid, internal, conflict; with `force` it does not matter whether it was connected. */
  leave(container: Container, reference: string, options: { force: boolean }): Promise<void> {
    const { networks, sandboxes, table } = this.#parts;
    return container.turns.run(async () => {
      const network = findOrGone(networks, reference, container);
      const name = network?.name ?? reference;
      if (container.removing) throw marked(container);
      if (name === 'none' && isOnNone(container)) {
        table.saveDefinition(container, { leftNone: true });
        return;
      }
      if (name === 'host' && container.definition.hostConfig.NetworkMode === 'host')
        throw new EngineError('invalid', HOST_CONFLICT);
      const rest = Object.fromEntries(
        Object.entries(container.definition.networks).filter(([other]) => other !== name),
      );
      if (!Object.hasOwn(container.definition.networks, name)) {
        if (options.force) return;
        throw new EngineError(
          'internal',
          `container ${container.id} is not connected to network ${name}`,
        );
      }
      const isConnected = container.isLive && sandboxes.of(container.id) !== undefined;
      if (isConnected && network !== undefined) {
        const live = await sandboxes.leave(container.id, network.id);
        table.saveDefinition(container, { networks: rest });
        await this.#changed(container, live);
        return;
      }
      table.saveDefinition(container, { networks: rest });
    });
  }

  /** `rm --link PARENT/ALIAS`: the parent no longer knows the other container by that name. Throws invalid, not-found. */
  async unlink(reference: string): Promise<void> {
    const { table } = this.#parts;
    const found = withoutLink(reference, table);
    await found.parent.turns.run(async () => {
      const { parent, alias, address } = found;
      const { hostConfig } = withoutLink(reference, table);
      table.saveDefinition(parent, { hostConfig });
      if (parent.isLive && address !== undefined)
        await this.#parts.forgetHost(parent, { address, alias });
    });
  }

  async #changed(container: Container, live: LiveNetwork): Promise<void> {
    const before = container.state.network?.endpoints ?? [];
    this.#parts.table.save(container, { network: live });
    await this.#parts.rewrite(container, { before, after: live.endpoints });
  }

  /** A running container that has no network at all yet needs a sandbox first. */
  async #joinLive(
    container: Container,
    network: NetworkRecord,
    wish: EndpointWish,
  ): Promise<LiveNetwork> {
    const { sandboxes } = this.#parts;
    if (sandboxes.of(container.id) !== undefined)
      return sandboxes.join(container.id, network.id, wish);
    const { shim } = container;
    if (shim === undefined)
      throw new EngineError('conflict', `Container ${container.id} is not running`);
    const prepared = sandboxes.prepare(tenantOf(container), new Map([[network.id, wish]]));
    return this.connect(container, prepared, shim);
  }
}

const HOST_CONFLICT =
  'container cannot be disconnected from host network or connected to host network';

/** Docker's rules for who may be connected to what. */
function checkMember(container: Container, network: NetworkRecord): void {
  const mode = container.definition.hostConfig.NetworkMode ?? 'bridge';
  if (container.removing) throw marked(container);
  if (mode.startsWith('container:') || (mode === 'host' && network.driver !== 'host')) {
    throw new EngineError(
      'invalid',
      'container sharing network namespace with another container or host cannot be connected to any other network',
    );
  }
  if (mode === 'host' || network.driver === 'host') throw new EngineError('invalid', HOST_CONFLICT);
  const leftNone = mode === 'none' && !isOnNone(container);
  const isAlone = Object.keys(container.definition.networks).length === 0;
  if (isOnNone(container) || (network.driver === 'null' && !(leftNone && isAlone))) {
    throw new EngineError(
      'invalid',
      'container cannot be connected to multiple networks with one of the networks in private (none) mode',
    );
  }
}

/** A network that is gone can still be taken from a container that names it. */
function findOrGone(
  networks: Networks,
  reference: string,
  container: Container,
): NetworkRecord | undefined {
  try {
    return networks.find(reference);
  } catch (error) {
    if (Object.hasOwn(container.definition.networks, reference)) return undefined;
    throw error;
  }
}

function marked(container: Container): EngineError {
  return new EngineError(
    'conflict',
    `Container ${container.id} is marked for removal and cannot be connected or disconnected to the network`,
  );
}
