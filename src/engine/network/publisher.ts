/** Publishes ports: chooses host ports, asks the helper for them, and tries others where strangers were first. */

import { kindOf } from '../../lib/errors.ts';
import type { NetLink } from '../runtime/net.ts';
import { byPreference } from './naming.ts';
import { bindFailure, HostPorts } from './ports.ts';
import type { Claim, PortFacts } from './ports.ts';
import { hostBinding } from './request.ts';
import type { Endpoint, NetworkRecord, PortWish, PublishedPort, Tenant } from './types.ts';
import { connectivity, publishRequest } from './wire.ts';

/** How often another port is tried where strangers have those that were chosen. */
const TRIES = 16;

/** Who publishes; `ports` is what it has. */
export interface Holder {
  readonly tenant: Tenant;
  readonly endpoints: readonly Endpoint[];
  readonly wishes: readonly PortWish[];
  ports: readonly PublishedPort[];
  /** Id of the endpoint that the ports lead to. */
  carrier: string | null;
}

export class Publisher {
  readonly #held: HostPorts;
  readonly #byId: (id: string) => NetworkRecord | undefined;

  constructor(facts: PortFacts, byId: (id: string) => NetworkRecord | undefined) {
    this.#held = new HostPorts(facts);
    this.#byId = byId;
  }

  /** All that the holder wishes, or nothing. Throws in Docker's words. */
  async publish(link: NetLink, holder: Holder): Promise<void> {
    const endpoint = carrierOf(holder.endpoints);
    const network = endpoint === undefined ? undefined : this.#byId(endpoint.networkId);
    if (endpoint === undefined || network === undefined || holder.wishes.length === 0) return;
    const hostIp = hostBinding(network);
    const wishes = holder.wishes.map((wish) => (wish.hostIp === '' ? { ...wish, hostIp } : wish));
    const strangers = new Set<string>();
    for (let attempt = 1; ; attempt++) {
      let claims: Claim[] = [];
      try {
        claims = this.#held.claim(holder.tenant.id, wishes, strangers);
        holder.ports = claims.map(published);
        holder.carrier = endpoint.id;
        await link.send(publishRequest(network, endpoint, holder.ports));
        return;
      } catch (error) {
        this.#held.release(holder.tenant.id, claims);
        holder.ports = [];
        holder.carrier = null;
        const free = claims.filter(({ hasChoice }) => hasChoice);
        const canGoOn = kindOf(error) === 'conflict' && free.length > 0 && attempt < TRIES;
        if (!canGoOn) throw connectivity(holder.tenant, endpoint, bindFailure(error, claims));
        for (const { protocol, hostPort } of free) strangers.add(`${protocol}/${String(hostPort)}`);
      }
    }
  }

  /** The same ports again, for a helper that has lost them. */
  async again(link: NetLink, holder: Holder): Promise<void> {
    await this.#lead(link, holder, holder.ports);
  }

  /** Lets the holder's ports go at once, whatever becomes of its links. */
  async close(link: NetLink, holder: Holder): Promise<void> {
    await this.#lead(link, holder, []);
  }

  async #lead(link: NetLink, holder: Holder, ports: readonly PublishedPort[]): Promise<void> {
    const endpoint = holder.endpoints.find(({ id }) => id === holder.carrier);
    const network = endpoint === undefined ? undefined : this.#byId(endpoint.networkId);
    if (endpoint === undefined || network === undefined || holder.ports.length === 0) return;
    await link.send(publishRequest(network, endpoint, ports));
  }

  release(holder: Holder): void {
    this.#held.release(holder.tenant.id, holder.ports);
    holder.ports = [];
    holder.carrier = null;
  }

  adopt(holder: Holder): void {
    this.#held.adopt(holder.tenant.id, holder.ports);
  }
}

/** The endpoint that published ports lead to: where the default route is; on internal networks alone there is none. */
function carrierOf(endpoints: readonly Endpoint[]): Endpoint | undefined {
  return byPreference(endpoints).find(({ internal }) => !internal);
}

function published({ protocol, port, hostAddress, hostPort }: Claim): PublishedPort {
  return { protocol, port, hostAddress, hostPort };
}
