/** Which ports of the host this engine's containers have, and the choice of new ones. The sockets themselves are the helper's. */

import { readFileSync } from 'node:fs';
import { EngineError } from '../../lib/errors.ts';
import type { PortWish, PublishedPort } from './types.ts';

/** Docker's, where the kernel does not tell. */
const EPHEMERAL = { first: 49_153, last: 65_535 };

export interface PortFacts {
  /** Whether the host has IPv6 at all. */
  readonly hostHasIPv6: boolean;
  /** Ports for wishes that name none. */
  readonly ephemeral: { readonly first: number; readonly last: number };
}

/** Reads what the host allows; in a container or jail without /proc/sys the defaults serve. */
export function portFacts(
  read: (path: string) => string = (path) => readFileSync(path, 'utf8'),
): PortFacts {
  const text = (path: string): string => {
    try {
      return read(path);
    } catch {
      return '';
    }
  };
  const range = /^(\d+)\s+(\d+)/.exec(text('/proc/sys/net/ipv4/ip_local_port_range'));
  return {
    hostHasIPv6: text('/proc/net/if_inet6').trim() !== '',
    ephemeral: range === null ? EPHEMERAL : { first: Number(range[1]), last: Number(range[2]) },
  };
}

export interface Claim extends PublishedPort {
  /** The wish left a choice, so another port will do when this one is taken by a stranger. */
  readonly hasChoice: boolean;
}

/** Holds who has which host port. */
export class HostPorts {
  readonly #facts: PortFacts;
  readonly #held = new Map<string, { address: string; tenant: string }[]>();
  #next: number;

  constructor(facts: PortFacts) {
    this.#facts = facts;
    this.#next = facts.ephemeral.first;
  }

  /** Takes ports for all wishes or for none. `strangers` are ports (`tcp/8080`) that turned out to be taken by others. Throws Docker's error. */
  claim(tenant: string, wishes: readonly PortWish[], strangers: ReadonlySet<string>): Claim[] {
    const claims: Claim[] = [];
    try {
      for (const wish of wishes) claims.push(...this.#claimOne(tenant, wish, strangers));
    } catch (error) {
      this.release(tenant, claims);
      throw error;
    }
    return claims;
  }

  /** Marks ports that a container has had since before this engine began. */
  adopt(tenant: string, ports: readonly PublishedPort[]): void {
    for (const port of ports) this.#hold(tenant, port);
  }

  release(tenant: string, ports: readonly PublishedPort[]): void {
    for (const { protocol, hostPort, hostAddress } of ports) {
      const key = `${protocol}/${String(hostPort)}`;
      const others = (this.#held.get(key) ?? []).filter(
        (holder) => holder.tenant !== tenant || holder.address !== hostAddress,
      );
      if (others.length === 0) this.#held.delete(key);
      else this.#held.set(key, others);
    }
  }

  #claimOne(tenant: string, wish: PortWish, strangers: ReadonlySet<string>): Claim[] {
    const addresses =
      wish.hostIp === '' ? ['0.0.0.0', ...(this.#facts.hostHasIPv6 ? ['::'] : [])] : [wish.hostIp];
    const { protocol, port } = wish;
    const hasChoice = wish.hostPorts === null || wish.hostPorts.first !== wish.hostPorts.last;
    for (const hostPort of this.#candidates(wish)) {
      const key = `${protocol}/${String(hostPort)}`;
      const isTaken = strangers.has(key) || addresses.some((address) => this.#isHeld(key, address));
      if (isTaken) continue;
      const claims = addresses.map((hostAddress) => ({
        protocol,
        port,
        hostAddress,
        hostPort,
        hasChoice,
      }));
      for (const claim of claims) this.#hold(tenant, claim);
      return claims;
    }
    const { first, last } = wish.hostPorts ?? this.#facts.ephemeral;
    const range = first === last ? String(first) : `${String(first)}-${String(last)}`;
    throw new EngineError(
      'internal',
      `Bind for ${shown(addresses[0] ?? '')}:${range} failed: port is already allocated`,
    );
  }

  *#candidates(wish: PortWish): Generator<number> {
    if (wish.hostPorts !== null) {
      for (let port = wish.hostPorts.first; port <= wish.hostPorts.last; port++) yield port;
      return;
    }
    const { first, last } = this.#facts.ephemeral;
    for (let tries = first; tries <= last; tries++) {
      const port = this.#next;
      this.#next = port >= last ? first : port + 1;
      yield port;
    }
  }

  #isHeld(key: string, address: string): boolean {
    return (this.#held.get(key) ?? []).some(({ address: other }) => collide(address, other));
  }

  #hold(tenant: string, { protocol, hostPort, hostAddress }: PublishedPort): void {
    const key = `${protocol}/${String(hostPort)}`;
    this.#held.set(key, [...(this.#held.get(key) ?? []), { address: hostAddress, tenant }]);
  }
}

/** The host's address as part of `address:port`. */
export function shown(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

/** What the helper said of a port, in Docker's words and with the way out. */
export function bindFailure(error: unknown, claims: readonly Claim[]): unknown {
  if (!(error instanceof EngineError)) return error;
  const said = (claim: Claim) => `${shown(claim.hostAddress)}:${String(claim.hostPort)}`;
  const named =
    claims.find((claim) => `${error.message} ${error.path ?? ''}`.includes(said(claim))) ??
    (error.kind === 'forbidden' ? claims.find(({ hostPort }) => hostPort < 1024) : claims[0]);
  if (named === undefined) return error;
  const what = `failed to bind host port ${said(named)}/${named.protocol}`;
  if (error.kind === 'conflict')
    return new EngineError('internal', `${what}: address already in use`, { cause: error });
  if (error.errno === 'EADDRNOTAVAIL')
    return new EngineError('internal', `${what}: cannot assign requested address`, {
      cause: error,
    });
  if (error.kind !== 'forbidden') return error;
  return new EngineError(
    'internal',
    `${what}: permission denied: this user may not use ports below the host's net.ipv4.ip_unprivileged_port_start; publish a higher port, or let root run 'sysctl -w net.ipv4.ip_unprivileged_port_start=${String(named.hostPort)}'`,
    { cause: error },
  );
}

function collide(a: string, b: string): boolean {
  if (a === b) return true;
  if (a.includes(':') !== b.includes(':')) return false;
  const isAny = (address: string) => address === '0.0.0.0' || address === '::';
  return isAny(a) || isAny(b);
}
