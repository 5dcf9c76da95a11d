/** The conversation with the native helper: which networks the present connection has been told of, and another try when the helper ended just as somebody came. It knows no container. */

import { setTimeout as delay } from 'node:timers/promises';
import { kindOf, messageOf } from '../../lib/errors.ts';
import type { NetLink, NetSupervisor } from '../runtime/net.ts';
import { allowsHostLoopback } from './request.ts';
import type { NetworkRecord } from './types.ts';
import { networkName, networkRequest } from './wire.ts';

/** How long the helper's end is waited for. */
const STOP_MS = 2000;
/** How often and how long the last links of a network are waited for. */
const REMOVE_TRIES = 50;
const REMOVE_PAUSE_MS = 40;

export interface MessengerParts {
  readonly supervisor: NetSupervisor;
  /** Whether networks that do not say may reach the host's loopback. */
  readonly hostLoopback: boolean;
  readonly warn: (message: string) => void;
}

export class Messenger {
  readonly #parts: MessengerParts;
  readonly #told = new WeakMap<NetLink, Map<number, Promise<unknown>>>();
  #link: NetLink | undefined;

  constructor(parts: MessengerParts) {
    this.#parts = parts;
  }

  /** The connection that is open now, if any. */
  get open(): NetLink | undefined {
    return this.#link?.isOpen === true ? this.#link : undefined;
  }

  /** A connection that has been told of these networks; starts the helper when there is none. */
  async reach(networks: readonly NetworkRecord[]): Promise<NetLink> {
    const link = (this.#link = await this.#parts.supervisor.link('work'));
    await Promise.all(this.know(link, networks));
    return link;
  }

  /** Once more when the helper ended meanwhile. */
  async twice(work: (link: NetLink) => Promise<void>): Promise<void> {
    const link = await this.reach([]);
    try {
      await work(link);
    } catch (error) {
      if (link.isOpen) throw error;
      await work(await this.reach([]));
    }
  }

  /** Sends what the connection has not heard of these networks; all answers. */
  know(link: NetLink, networks: readonly NetworkRecord[]): Promise<unknown>[] {
    const told = this.#told.get(link) ?? new Map<number, Promise<unknown>>();
    this.#told.set(link, told);
    return networks.map((network) => {
      const known = told.get(network.number);
      if (known !== undefined) return known;
      const { hostLoopback } = this.#parts;
      const answer = link.send(
        networkRequest(network, { hostLoopback: allowsHostLoopback(network, { hostLoopback }) }),
      );
      told.set(network.number, answer);
      answer.catch(() => told.delete(network.number));
      return answer;
    });
  }

  knows(link: NetLink, network: NetworkRecord): boolean {
    return this.#told.get(link)?.has(network.number) === true;
  }

  /** Sends what takes things away, on its own lane; when there is no helper it took everything with it. */
  async remove(requests: readonly object[]): Promise<void> {
    if (this.open === undefined || requests.length === 0) return;
    const link = await this.#parts.supervisor.link('removals').catch(() => undefined);
    if (link === undefined) return;
    await Promise.all(
      requests.map((request) =>
        link.send(request).catch((error: unknown) => {
          const kind = kindOf(error);
          if (kind !== 'not-found' && kind !== 'unavailable') throw error;
        }),
      ),
    );
  }

  /** A network's bridge and uplink go; links of containers that ended just now may still be there for a moment. */
  async removeNetwork(number: number): Promise<void> {
    const request = { op: 'remove-network', id: networkName({ number }) };
    for (let attempt = 1; ; attempt++) {
      try {
        await this.remove([request]);
        return;
      } catch (error) {
        if (kindOf(error) !== 'conflict' || attempt >= REMOVE_TRIES) {
          this.#parts.warn(messageOf(error));
          return;
        }
        await delay(REMOVE_PAUSE_MS);
      }
    }
  }

  /** The network is gone: a later one may have its number. */
  async forget(network: NetworkRecord): Promise<void> {
    const link = this.open;
    if (link === undefined || !this.knows(link, network)) return;
    this.#told.get(link)?.delete(network.number);
    await this.removeNetwork(network.number);
  }

  /** Ends the helper, whom nobody needs any more, and waits for its end; not for ever. */
  async stop(): Promise<void> {
    const link = this.open;
    this.#link = undefined;
    if (link === undefined) return;
    // Told first, so that the end is no loss.
    const ended = link.send({ op: 'stop', force: true }).then(
      () => link.closed,
      () => undefined,
    );
    await Promise.race([ended, delay(STOP_MS, undefined, { ref: false })]);
    this.#parts.supervisor.release();
  }

  /** Forgets the connection; with `release` it is also ended. */
  drop(options: { readonly release: boolean }): void {
    this.#link = undefined;
    if (options.release) this.#parts.supervisor.release();
  }
}
