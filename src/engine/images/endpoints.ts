/**
 * Owns where a registry is reached: its mirrors first, then itself; over TLS, or in plain HTTP where that was
 * asked for by name or the host is this machine. It also decides which addresses a registry may send us to.
 */

import { lookup } from 'node:dns';
import type { LookupAddress, LookupOptions } from 'node:dns';
import { BlockList, isIP } from 'node:net';
import type { LookupFunction } from 'node:net';
import { EngineError } from '../../lib/errors.ts';
import { DEFAULT_DOMAIN } from '../../lib/image/reference.ts';
import type { RegistryConfig } from '../../lib/image/registry-config.ts';

/** One place to ask. */
export interface Endpoint {
  /** Without a slash at its end. */
  readonly base: string;
  readonly mirror: boolean;
  /** Plain HTTP and unknown certificates are accepted, also after a redirect. */
  readonly insecure: boolean;
}

const HUB = 'https://registry-1.docker.io';

const LOCAL = new BlockList();
LOCAL.addSubnet('127.0.0.0', 8, 'ipv4');
LOCAL.addSubnet('0.0.0.0', 8, 'ipv4');
LOCAL.addSubnet('169.254.0.0', 16, 'ipv4');
LOCAL.addAddress('::1', 'ipv6');
LOCAL.addAddress('::', 'ipv6');
LOCAL.addSubnet('fe80::', 10, 'ipv6');

/** The places to ask for a registry's content, in order. */
export function endpointsOf(domain: string, config: RegistryConfig): Endpoint[] {
  const mirrors = config.mirrors[domain] ?? [];
  const places: Endpoint[] = mirrors.map((base) => ({
    base,
    mirror: true,
    insecure: base.startsWith('http:') || isInsecure(new URL(base).host, config),
  }));
  if (domain === DEFAULT_DOMAIN) return [...places, { base: HUB, mirror: false, insecure: false }];
  if (!isInsecure(domain, config))
    return [...places, { base: `https://${domain}`, mirror: false, insecure: false }];
  return [
    ...places,
    { base: `https://${domain}`, mirror: false, insecure: true },
    { base: `http://${domain}`, mirror: false, insecure: true },
  ];
}

/** Whether a host name or address means this machine. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, '').toLowerCase();
  if (name === 'localhost' || name.endsWith('.localhost')) return true;
  return isIP(name) !== 0 && isLocalAddress(name);
}

/**
 * Throws `forbidden` when a registry at `endpoint` must not send us to `target`: other schemes than http and
 * https, a fall back to plain HTTP, or a remote registry that points at this machine or its link.
 */
export function checkTarget(endpoint: Endpoint, target: URL): void {
  const own = new URL(endpoint.base);
  const refuse = (why: string): EngineError =>
    new EngineError(
      'forbidden',
      `the registry ${own.host} sent us to ${target.href.slice(0, 200)}, which is refused: ${why}`,
    );
  if (target.protocol !== 'https:' && target.protocol !== 'http:')
    throw refuse('only http and https are followed');
  if (target.host === own.host && target.protocol === own.protocol) return;
  if (target.protocol === 'http:' && !endpoint.insecure) throw refuse('it is not encrypted');
  if (isLoopback(target.hostname) && !isLoopback(own.hostname))
    throw refuse('it is an address of this machine');
}

/** A resolver for hosts that a remote registry sent us to: names that lead to this machine do not resolve. */
export const guardedLookup: LookupFunction = (hostname, options, callback) => {
  const all: LookupOptions & { all: true } = { ...options, all: true };
  lookup(hostname, all, (error, addresses: LookupAddress[]) => {
    const allowed =
      error === null ? addresses.filter(({ address }) => !isLocalAddress(address)) : [];
    const [first] = allowed;
    if (error !== null) callback(error, '', 0);
    else if (first === undefined)
      callback(
        new Error(
          `${hostname} is an address of this machine, which a registry must not send us to`,
        ),
        '',
        0,
      );
    else if (options.all === true) callback(null, allowed);
    else callback(null, first.address, first.family);
  });
};

function isInsecure(host: string, config: RegistryConfig): boolean {
  const name = host.replace(/:\d+$/, '');
  return isLoopback(name) || config.insecure.includes(host) || config.insecure.includes(name);
}

function isLocalAddress(address: string): boolean {
  const mapped = /^::ffff:(.*)$/i.exec(address)?.[1];
  if (mapped !== undefined && isIP(mapped) === 4) return LOCAL.check(mapped, 'ipv4');
  return LOCAL.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}
