/** Chooses subnets for networks that name none: Docker's default pools and a unique local prefix (RFC 4193), beside what is taken. Reads the host's routes; it writes nothing. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { EngineError } from '../../lib/errors.ts';
import { formatPrefix, overlap, parsePrefix } from './addresses.ts';
import type { Family, Prefix } from './addresses.ts';

/** dockerd's default address pools: 172.17–172.31 as /16, 192.168 as /20. */
function defaultPools(): Prefix[] {
  const texts = [
    ...Array.from({ length: 15 }, (_, at) => `172.${String(17 + at)}.0.0/16`),
    ...Array.from({ length: 16 }, (_, at) => `192.168.${String(at * 16)}.0/20`),
  ];
  return texts.map((text) => mustParse(text));
}

/** The /64 networks of this engine's own /48, named by its seed. */
export function* uniqueLocalPools(seed: string): Generator<Prefix> {
  const id = createHash('sha256').update(`pinnace-ula\0${seed}`).digest('hex').slice(0, 10);
  const start = `fd${id.slice(0, 2)}:${id.slice(2, 6)}:${id.slice(6, 10)}`;
  for (let subnet = 0; subnet < 65536; subnet++)
    yield mustParse(`${start}:${subnet.toString(16)}::/64`);
}

/** The first free subnet. Throws Docker's error when all are taken. */
export function choosePool(
  family: Family,
  facts: { readonly seed: string; readonly taken: readonly Prefix[] },
): Prefix {
  const pools = family === 4 ? defaultPools() : uniqueLocalPools(facts.seed);
  for (const pool of pools) if (!facts.taken.some((other) => overlap(pool, other))) return pool;
  throw new EngineError(
    'not-found',
    'all predefined address pools have been fully subnetted: remove networks (network prune), or name a subnet (--subnet)',
  );
}

/** What the host's own routes lead to, but for default routes, link-local and multicast ones. */
export function hostRoutes(
  read: (path: string) => string = (path) => readFileSync(path, 'utf8'),
): Prefix[] {
  const lines = (path: string): string[] => {
    try {
      return read(path).trim().split('\n');
    } catch {
      return [];
    }
  };
  return [
    ...lines('/proc/net/route').slice(1).map(route4),
    ...lines('/proc/net/ipv6_route').map(route6),
  ].filter((prefix) => prefix !== undefined);
}

/** proc_pid_net(5): the destination and mask are hexadecimal in the processor's byte order. */
function route4(line: string): Prefix | undefined {
  const fields = line.split(/\s+/);
  const destination = swapped(fields[1]);
  const mask = swapped(fields[7]);
  if (destination === undefined || mask === undefined || mask === 0) return undefined;
  const bits = 32 - Math.log2(2 ** 32 - mask);
  return { family: 4, value: BigInt(destination), bits };
}

function swapped(hex: string | undefined): number | undefined {
  if (hex === undefined || !/^[0-9A-Fa-f]{8}$/.test(hex)) return undefined;
  return Buffer.from(hex, 'hex').readUInt32LE();
}

function route6(line: string): Prefix | undefined {
  const [destination = '', length = ''] = line.split(/\s+/);
  if (!/^[0-9a-f]{32}$/.test(destination)) return undefined;
  const bits = Number.parseInt(length, 16);
  const value = BigInt(`0x${destination}`);
  const isLocal = destination.startsWith('fe80') || destination.startsWith('ff');
  return bits < 8 || bits > 127 || isLocal ? undefined : { family: 6, value, bits };
}

function mustParse(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (prefix === undefined) throw new Error(`not a prefix: ${text}`);
  return { ...prefix, value: parsePrefix(formatPrefix(prefix))?.value ?? prefix.value };
}
