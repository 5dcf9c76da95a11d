/**
 * Puts containers on networks: gives out addresses and host ports, and keeps the native helper in line with them.
 *
 * What is connected is held here in memory, and by each container's row, so the helper may end at any time and be
 * told again. Requests to it go out together on one connection that answers in order: a start waits for one round
 * trip, and what one container gave up is free for the next one that asks.
 */

import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { EngineError, kindOf, messageOf } from '../../lib/errors.ts';
import type { NetLink, NetSupervisor } from '../runtime/net.ts';
import { AddressBook, freeInterface } from './address-book.ts';
import { Messenger } from './messenger.ts';
import { affectedBy, nameTable, routesOf } from './naming.ts';
import type { EmitNetworkEvent } from './networks.ts';
import type { PortFacts } from './ports.ts';
import { Publisher } from './publisher.ts';
import { allOf, liveOf } from './room.ts';
import type { Room } from './room.ts';
import type {
  Endpoint,
  EndpointWish,
  LiveNetwork,
  NetworkRecord,
  PortWish,
  Prepared,
  ProcessRef,
  Sandboxes,
  Tenant,
} from './types.ts';
import { attachRequest, networkName, readState, wishAgain } from './wire.ts';

/** How long the helper is kept when nobody is connected. */
const LINGER_MS = 60_000;
/** How often and how long the links of a helper that died are waited for. */
const REATTACH_TRIES = 100;
const REATTACH_PAUSE_MS = 50;

export interface SandboxParts {
  readonly supervisor: NetSupervisor;
  readonly possible: boolean;
  /** Throws not-found. */
  readonly find: (reference: string) => NetworkRecord;
  readonly byId: (id: string) => NetworkRecord | undefined;
  readonly numbers: () => readonly number[];
  readonly emit: EmitNetworkEvent;
  readonly ports: PortFacts;
  readonly hostLoopback: boolean;
  readonly warn: (message: string) => void;
}

/** The sandboxes, and what the networks ask of them. */
export interface SandboxStore extends Sandboxes {
  /** A network is gone: the helper and the addresses forget it. */
  forget(network: NetworkRecord): Promise<void>;
}

export class HelperSandboxes implements SandboxStore {
  readonly #parts: SandboxParts;
  readonly #rooms = new Map<string, Room>();
  /** What was prepared and is neither connected nor abandoned yet. */
  readonly #pending = new Set<Prepared>();
  readonly #addresses = new AddressBook();
  readonly #publisher: Publisher;
  readonly #messenger: Messenger;
  #linger: NodeJS.Timeout | undefined;

  constructor(parts: SandboxParts) {
    this.#parts = parts;
    this.#publisher = new Publisher(parts.ports, parts.byId);
    this.#messenger = new Messenger(parts);
    parts.supervisor.onLost(() => this.#lost());
  }

  get possible(): boolean {
    return this.#parts.possible;
  }

  warm(): void {
    if (!this.possible) return;
    this.#messenger.reach([this.#parts.find('bridge')]).catch((error: unknown) => {
      this.#parts.warn(`the networks could not be started: ${messageOf(error)}`);
    });
    this.#lingerIfEmpty();
  }

  prepare(tenant: Tenant, wishes: ReadonlyMap<string, EndpointWish>): Prepared {
    const endpoints: Endpoint[] = [];
    try {
      for (const [reference, wish] of wishes) {
        const network = this.#parts.find(reference);
        endpoints.push(this.#addresses.place(network, wish, freeInterface(endpoints)));
      }
    } catch (error) {
      this.#addresses.giveBack(endpoints);
      throw error;
    }
    // The helper gets ready while the container is being made; what fails here fails again at connect.
    if (endpoints.length > 0)
      this.#messenger.reach(this.#networksOf(endpoints)).catch(() => undefined);
    const prepared = { tenant, endpoints };
    this.#pending.add(prepared);
    return prepared;
  }

  abandon(prepared: Prepared): void {
    if (!this.#pending.delete(prepared)) return;
    this.#addresses.giveBack(prepared.endpoints);
    this.#lingerIfEmpty();
  }

  async connect(
    prepared: Prepared,
    process: ProcessRef,
    wishes: readonly PortWish[],
  ): Promise<LiveNetwork> {
    const { tenant, endpoints } = prepared;
    this.#pending.delete(prepared);
    if (endpoints.length === 0) return { endpoints, ports: [], carrier: null };
    const room: Room = {
      tenant,
      process,
      endpoints,
      ports: [],
      carrier: null,
      wishes,
      isSettled: false,
    };
    clearTimeout(this.#linger);
    this.#rooms.set(tenant.id, room);
    try {
      await this.#messenger.twice((link) => this.#fill(room, link));
    } catch (error) {
      await this.#leaveAll(room);
      throw error;
    }
    room.isSettled = true;
    for (const endpoint of endpoints) this.#tell('connect', room.tenant, endpoint);
    return liveOf(room);
  }

  async disconnect(id: string): Promise<void> {
    const room = this.#rooms.get(id);
    if (room === undefined) return;
    const gone = this.#leaveAll(room);
    for (const endpoint of room.endpoints) this.#tell('disconnect', room.tenant, endpoint);
    await gone;
  }

  async join(id: string, reference: string, wish: EndpointWish): Promise<LiveNetwork> {
    const room = this.#room(id);
    const network = this.#parts.find(reference);
    const endpoint = this.#addresses.place(network, wish, freeInterface(room.endpoints));
    const before = room.endpoints;
    room.endpoints = [...before, endpoint];
    try {
      await this.#messenger.twice(async (link) => {
        const answers = this.#messenger.know(link, [network]);
        // The old default route goes before the new one comes.
        for (const other of before) answers.push(this.#route(link, room, other));
        answers.push(this.#attach(link, room, endpoint));
        await Promise.all([...answers, ...this.#publishNames(link, [network.id])]);
        if (room.ports.length === 0) await this.#publisher.publish(link, room);
      });
    } catch (error) {
      room.endpoints = before;
      await this.#messenger
        .remove([{ op: 'detach', endpoint: endpoint.id }])
        .catch(() => undefined);
      this.#addresses.giveBack([endpoint]);
      throw error;
    }
    this.#tell('connect', room.tenant, endpoint);
    return liveOf(room);
  }

  async leave(id: string, networkId: string): Promise<LiveNetwork> {
    const room = this.#room(id);
    const endpoint = room.endpoints.find((one) => one.networkId === networkId);
    if (endpoint === undefined) return liveOf(room);
    const hadPorts = room.carrier === endpoint.id;
    room.endpoints = room.endpoints.filter((one) => one !== endpoint);
    await this.#messenger.twice(async (link) => {
      const gone = this.#messenger.remove([{ op: 'detach', endpoint: endpoint.id }]);
      const answers: Promise<unknown>[] = [gone];
      for (const other of room.endpoints) answers.push(this.#route(link, room, other));
      await Promise.all([...answers, ...this.#publishNames(link, [networkId])]);
      if (!hadPorts) return;
      this.#publisher.release(room);
      await this.#publisher.publish(link, room);
    });
    this.#addresses.giveBack([endpoint]);
    this.#tell('disconnect', room.tenant, endpoint);
    return liveOf(room);
  }

  of(id: string): LiveNetwork | undefined {
    const room = this.#rooms.get(id);
    return room === undefined ? undefined : liveOf(room);
  }

  rename(id: string, name: string): void {
    const room = this.#rooms.get(id);
    if (room === undefined) return;
    room.tenant = { ...room.tenant, name };
    this.#announceNames(room.endpoints);
  }

  members(networkId: string): { tenant: Tenant; endpoint: Endpoint }[] {
    return [...this.#rooms.values()].flatMap(({ tenant, endpoints }) =>
      endpoints
        .filter((endpoint) => endpoint.networkId === networkId)
        .map((endpoint) => ({ tenant, endpoint })),
    );
  }

  adopt(tenant: Tenant, process: ProcessRef, live: LiveNetwork): void {
    const endpoints: Endpoint[] = [];
    for (const endpoint of live.endpoints) {
      const network = this.#parts.byId(endpoint.networkId);
      if (network === undefined) continue;
      endpoints.push(endpoint);
      this.#addresses.adopt(network, endpoint);
    }
    const { ports, carrier } = live;
    const wishes = ports.map(wishAgain);
    const room: Room = { tenant, process, endpoints, ports, carrier, wishes, isSettled: true };
    this.#publisher.adopt(room);
    this.#rooms.set(tenant.id, room);
  }

  async reconcile(): Promise<void> {
    if (!this.possible || this.#rooms.size === 0) return;
    const link = await this.#messenger.reach([]);
    const state = readState(await link.send({ op: 'state' }));
    const wanted = new Set(
      [...this.#rooms.values()].flatMap(({ endpoints }) => endpoints.map(({ id }) => id)),
    );
    const stale = [...state.endpoints].filter((id) => !wanted.has(id));
    await this.#messenger.remove(stale.map((endpoint) => ({ op: 'detach', endpoint })));
    const numbers = new Set(this.#parts.numbers());
    const dead = state.networks.filter((number) => !numbers.has(number));
    for (const number of dead) await this.#messenger.removeNetwork(number);
    await this.#restore(link, state.endpoints);
  }

  async dial(process: ProcessRef, port: number): Promise<Duplex> {
    const { pid, startTime } = process;
    const addresses = ['127.0.0.1', '::1'];
    return this.#parts.supervisor.dial({ op: 'dial', pid, startTime, port, addresses });
  }

  async forget(network: NetworkRecord): Promise<void> {
    this.#addresses.forget(network);
    await this.#messenger.forget(network);
  }

  async close(): Promise<void> {
    clearTimeout(this.#linger);
    if (this.#rooms.size === 0 && this.#pending.size === 0) await this.#messenger.stop();
    else this.#messenger.drop({ release: true });
  }

  /** Everything of one room on one connection. */
  async #fill(room: Room, link: NetLink): Promise<void> {
    this.#publisher.release(room);
    const networks = this.#networksOf(room.endpoints);
    const answers = this.#messenger.know(link, networks);
    for (const endpoint of room.endpoints) answers.push(this.#attach(link, room, endpoint));
    answers.push(this.#publisher.publish(link, room));
    const changed = networks.map(({ id }) => id);
    await allOf([...answers, ...this.#publishNames(link, changed)]);
  }

  #attach(link: NetLink, room: Room, endpoint: Endpoint): Promise<unknown> {
    const network = this.#parts.byId(endpoint.networkId);
    if (network === undefined) {
      const message = `network ${endpoint.networkName} not found`;
      return Promise.reject(new EngineError('not-found', message));
    }
    const gateways = routesOf(room.endpoints).get(endpoint.id) ?? [];
    return link.send(attachRequest(endpoint, { network, process: room.process, gateways }));
  }

  #route(link: NetLink, room: Room, endpoint: Endpoint): Promise<unknown> {
    const gateways = routesOf(room.endpoints).get(endpoint.id) ?? [];
    return link.send({ op: 'route', endpoint: endpoint.id, gateways });
  }

  #publishNames(link: NetLink, changed: readonly string[]): Promise<unknown>[] {
    const residents = [...this.#rooms.values()];
    const affected = new Set(changed.flatMap((id) => [...affectedBy(id, residents)]));
    return [...affected].flatMap((id) => {
      const network = this.#parts.byId(id);
      if (network === undefined || !this.#messenger.knows(link, network)) return [];
      const table = { ...nameTable(id, residents), forward: !network.internal };
      return [link.send({ op: 'names', network: networkName(network), ...table })];
    });
  }

  #announceNames(endpoints: readonly Endpoint[]): void {
    const link = this.#messenger.open;
    if (link === undefined) return;
    const changed = endpoints.map(({ networkId }) => networkId);
    for (const answer of this.#publishNames(link, changed)) answer.catch(() => undefined);
  }

  /** Takes a room away. Its links go with its process, which the helper watches; its ports are free when this settles. */
  async #leaveAll(room: Room): Promise<void> {
    this.#rooms.delete(room.tenant.id);
    const link = this.#messenger.open;
    const closed =
      link === undefined ? undefined : this.#publisher.close(link, room).catch(() => undefined);
    this.#announceNames(room.endpoints);
    this.#addresses.giveBack(room.endpoints);
    this.#publisher.release(room);
    this.#lingerIfEmpty();
    await closed;
  }

  #lost(): void {
    this.#messenger.drop({ release: false });
    if (![...this.#rooms.values()].some(({ isSettled }) => isSettled)) return;
    this.#parts.warn('the networks broke down: connecting the containers anew');
    this.#messenger
      .reach([])
      .then((link) => this.#restore(link, new Set()))
      .catch((error: unknown) => {
        this.#parts.warn(`the networks could not be set up anew: ${messageOf(error)}`);
      });
  }

  /** Connects again who is not among `present`; one that has ended meanwhile is nobody's concern. */
  async #restore(link: NetLink, present: ReadonlySet<string>): Promise<void> {
    const rooms = [...this.#rooms.values()].filter(({ isSettled }) => isSettled);
    await Promise.all(
      rooms.map(async (room) => {
        try {
          await Promise.all(this.#messenger.know(link, this.#networksOf(room.endpoints)));
          const missing = room.endpoints.filter(({ id }) => !present.has(id));
          await Promise.all(missing.map((endpoint) => this.#reattach(link, room, endpoint)));
          if (missing.some(({ id }) => id === room.carrier))
            await this.#publisher.again(link, room);
        } catch (error) {
          if (kindOf(error) !== 'not-found')
            this.#parts.warn(`container ${room.tenant.id}: ${messageOf(error)}`);
        }
      }),
    );
    const changed = rooms.flatMap(({ endpoints }) => endpoints.map(({ networkId }) => networkId));
    await Promise.allSettled(this.#publishNames(link, [...new Set(changed)]));
  }

  /** The links of a helper that died go only when the kernel has taken its namespace down. */
  async #reattach(link: NetLink, room: Room, endpoint: Endpoint): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#attach(link, room, endpoint);
        return;
      } catch (error) {
        const isOld = error instanceof EngineError && error.errno === 'EEXIST';
        if (!isOld || attempt >= REATTACH_TRIES || !link.isOpen) throw error;
        await delay(REATTACH_PAUSE_MS);
      }
    }
  }

  #networksOf(endpoints: readonly Endpoint[]): NetworkRecord[] {
    return endpoints
      .map(({ networkId }) => this.#parts.byId(networkId))
      .filter((network) => network !== undefined);
  }

  #room(id: string): Room {
    const room = this.#rooms.get(id);
    if (room !== undefined) return room;
    throw new EngineError('conflict', `container ${id} is not connected`);
  }

  #tell(action: 'connect' | 'disconnect', tenant: Tenant, endpoint: Endpoint): void {
    const { networkId, networkName: name } = endpoint;
    this.#parts.emit(action, networkId, { container: tenant.id, name, type: 'bridge' });
  }

  #lingerIfEmpty(): void {
    clearTimeout(this.#linger);
    if (this.#rooms.size > 0) return;
    this.#linger = setTimeout(() => {
      if (this.#rooms.size === 0 && this.#pending.size === 0) void this.close();
    }, LINGER_MS);
    this.#linger.unref();
  }
}
