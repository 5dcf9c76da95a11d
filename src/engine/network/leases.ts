/** Holds which addresses of one network are in use. An address that was given back is not given out again before its subnet has been gone through once, so that caches and late packets find nobody else. */

import { EngineError } from '../../lib/errors.ts';
import { contains, first, formatAddress, last, parseAddress, parsePrefix } from './addresses.ts';
import type { Family, Prefix } from './addresses.ts';
import type { Subnet } from './types.ts';

interface Pool {
  readonly subnet: Subnet;
  readonly prefix: Prefix;
  readonly low: bigint;
  readonly high: bigint;
  next: bigint;
  readonly used: Set<bigint>;
}

export interface Lease {
  readonly address: string;
  /** The subnet's prefix length. */
  readonly bits: number;
  readonly gateway: string;
}

export class AddressLeases {
  readonly #pools: readonly Pool[];

  constructor(subnets: readonly Subnet[]) {
    this.#pools = subnets.map(openPool);
  }

  /**
   * An address of the family: the wanted one, else one of the last ones when it is free, else the next. Undefined when the
   * network has no such subnet. Throws forbidden (in use, none left) and invalid (out of range).
   */
  take(family: Family, wanted?: string, last: readonly string[] = []): Lease | undefined {
    const pools = this.#pools.filter(({ prefix }) => prefix.family === family);
    if (wanted !== undefined && wanted !== '') return takeWanted(pools, wanted);
    for (const pool of pools) {
      const again = lastFree(pool, last);
      const value = again ?? nextFree(pool);
      if (value === undefined) continue;
      pool.used.add(value);
      if (again === undefined) pool.next = value + 1n;
      return leaseOf(pool, value);
    }
    if (pools.length === 0) return undefined;
    throw new EngineError(
      'forbidden',
      'no available IPv' + `${String(family)} addresses on this network's address pools`,
    );
  }

  /** Marks an address that a container has had since before this engine began. */
  adopt(address: string): void {
    const found = this.#find(address);
    if (found === undefined) return;
    found.pool.used.add(found.value);
    if (found.value >= found.pool.next && found.value < found.pool.high)
      found.pool.next = found.value + 1n;
  }

  release(address: string): void {
    const found = this.#find(address);
    found?.pool.used.delete(found.value);
  }

  #find(address: string): { pool: Pool; value: bigint } | undefined {
    const parsed = parseAddress(address);
    if (parsed === undefined) return undefined;
    const pool = this.#pools.find(({ prefix }) => contains(prefix, parsed));
    return pool === undefined ? undefined : { pool, value: parsed.value };
  }
}

function openPool(subnet: Subnet): Pool {
  const prefix = parsePrefix(subnet.cidr);
  if (prefix === undefined) throw new EngineError('internal', `not a subnet: ${subnet.cidr}`);
  const range = parsePrefix(subnet.range ?? subnet.cidr) ?? prefix;
  const used = new Set<bigint>([first(prefix)]);
  if (prefix.family === 4 && prefix.bits < 31) used.add(last(prefix));
  for (const text of [subnet.gateway, ...Object.values(subnet.auxiliary)]) {
    const reserved = parseAddress(text);
    if (reserved !== undefined) used.add(reserved.value);
  }
  const low = first(range);
  return { subnet, prefix, low, high: last(range), next: low, used };
}

function takeWanted(pools: readonly Pool[], wanted: string): Lease {
  const parsed = parseAddress(wanted);
  if (parsed === undefined) throw new EngineError('invalid', `invalid IP address: ${wanted}`);
  const pool = pools.find(({ prefix }) => contains(prefix, parsed));
  if (pool === undefined) {
    throw new EngineError(
      'invalid',
      `no configured subnet or ip-range contain the IP address ${formatAddress(parsed)}`,
    );
  }
  if (pool.used.has(parsed.value)) throw new EngineError('forbidden', 'Address already in use');
  pool.used.add(parsed.value);
  return leaseOf(pool, parsed.value);
}

function lastFree({ prefix, used }: Pool, last: readonly string[]): bigint | undefined {
  const known = last.map(parseAddress).filter((address) => address !== undefined);
  return known.find((address) => contains(prefix, address) && !used.has(address.value))?.value;
}

/** From where the last search ended, around the range once. */
function nextFree({ low, high, next, used }: Pool): bigint | undefined {
  // The set is finite, so a free address is at most its size away.
  const span = high - low + 1n;
  const tries = BigInt(used.size) + 1n < span ? BigInt(used.size) + 1n : span;
  const start = next >= low && next <= high ? next - low : 0n;
  for (let step = 0n; step < tries; step++) {
    const value = low + ((start + step) % span);
    if (!used.has(value)) return value;
  }
  return undefined;
}

function leaseOf({ prefix, subnet }: Pool, value: bigint): Lease {
  const address = formatAddress({ family: prefix.family, value });
  return { address, bits: prefix.bits, gateway: subnet.gateway };
}
