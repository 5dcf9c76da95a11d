/** Gives out endpoints: addresses, interface address and gateways on each network. It holds which addresses are in use, nothing else. */

import { randomBytes } from 'node:crypto';
import { EngineError } from '../../lib/errors.ts';
import { AddressLeases } from './leases.ts';
import { plainAddresses } from './naming.ts';
import type { Endpoint, EndpointWish, NetworkRecord } from './types.ts';
import { linkPair, macFor } from './wire.ts';

export class AddressBook {
  readonly #leases = new Map<string, AddressLeases>();

  /** An endpoint of its own on a network. Throws Docker's errors: address in use, out of range, none left. */
  place(network: NetworkRecord, wish: EndpointWish, name: string): Endpoint {
    const leases = this.#of(network);
    const four = leases.take(4, wish.ipv4, wish.last);
    let six: ReturnType<typeof leases.take>;
    try {
      six = leases.take(6, wish.ipv6, wish.last);
    } catch (error) {
      if (four !== undefined) leases.release(four.address);
      throw error;
    }
    const found = [four, six].filter((lease) => lease !== undefined);
    return {
      id: randomBytes(32).toString('hex'),
      networkId: network.id,
      networkName: network.name,
      interface: name,
      mac: wish.mac ?? macFor(four?.address),
      addresses: found.map(({ address, bits }) => `${address}/${String(bits)}`),
      gateways: found.map(({ gateway }) => gateway),
      internal: network.internal,
      gatewayPriority: wish.gatewayPriority,
      sysctls: interfaceSysctls(wish.driverOptions),
      aliases: wish.aliases,
      links: Object.fromEntries(wish.links.map(linkPair)),
    };
  }

  /** Marks an endpoint of before this engine began. */
  adopt(network: NetworkRecord, endpoint: Endpoint): void {
    for (const address of plainAddresses(endpoint)) this.#of(network).adopt(address);
  }

  giveBack(endpoints: readonly Endpoint[]): void {
    for (const endpoint of endpoints) {
      const leases = this.#leases.get(endpoint.networkId);
      for (const address of plainAddresses(endpoint)) leases?.release(address);
    }
  }

  forget(network: NetworkRecord): void {
    this.#leases.delete(network.id);
  }

  #of(network: NetworkRecord): AddressLeases {
    const leases = this.#leases.get(network.id) ?? new AddressLeases(network.subnets);
    this.#leases.set(network.id, leases);
    return leases;
  }
}

/** The first interface name `ethN` that none of these endpoints has. */
export function freeInterface(endpoints: readonly Endpoint[]): string {
  const taken = new Set(endpoints.map((endpoint) => endpoint.interface));
  let number = 0;
  while (taken.has(`eth${String(number)}`)) number++;
  return `eth${String(number)}`;
}

const SYSCTLS = 'com.docker.network.endpoint.sysctls';

/** Docker's driver option: `net.ipv4.conf.IFNAME.log_martians=1,…`. Throws invalid. */
export function interfaceSysctls(
  options: Readonly<Record<string, string>>,
): Record<string, string> {
  const text = options[SYSCTLS] ?? '';
  if (text === '') return {};
  const entries = text.split(',').map((entry): [string, string] => {
    const match = /^(net\.(?:ipv4|ipv6)\.(?:conf|neigh)\.IFNAME\.[a-z0-9_]+)=(.+)$/.exec(entry);
    const [, name = '', value = ''] = match ?? [];
    if (match === null) {
      throw new EngineError(
        'invalid',
        `${SYSCTLS}: '${entry}' is not net.ipv4|ipv6.conf|neigh.IFNAME.name=value`,
      );
    }
    return [name, value];
  });
  return Object.fromEntries(entries);
}
