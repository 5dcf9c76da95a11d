/**
 * Where a registry is asked, as the engine would: its mirrors first, then itself; in plain HTTP or with any certificate
 * only where the engine's settings allow it. Reads the settings of an engine; starts none.
 */
import { readFile } from 'node:fs/promises';
import { BlockList, isIP } from 'node:net';
import { join } from 'node:path';
import { EngineError, messageOf } from '../../lib/errors.ts';
import { type RegistryConfig, registryConfigOf } from '../../lib/image/registry-config.ts';
import { isRecord } from '../../lib/record.ts';
import { isLoopback } from './session.ts';

/** One place to ask. */
export interface Place {
  /** Its URL; undefined: where the registry's name leads. */
  readonly base: string | undefined;
  /** A mirror is given no login. */
  readonly mirror: boolean;
  readonly insecure: boolean;
}

/** The settings of an engine, as far as they are about registries. */
export interface Places {
  readonly mirrors: RegistryConfig['mirrors'];
  readonly isInsecure: (host: string) => boolean;
}

export const NO_PLACES: Places = { mirrors: {}, isInsecure: () => false };

/** The places to ask for a registry's content, in order. */
export function placesOf(domain: string, { mirrors, isInsecure }: Places): readonly Place[] {
  const found: Place[] = (Object.hasOwn(mirrors, domain) ? (mirrors[domain] ?? []) : []).map(
    (base) => ({ base, mirror: true, insecure: isInsecure(new URL(base).host) }),
  );
  const insecure = domain !== 'docker.io' && isInsecure(domain);
  const own = { base: undefined, mirror: false, insecure };
  // A registry of this machine is asked in plain HTTP first by itself.
  if (!insecure || isLoopback(domain.replace(/:\d+$/, ''))) return [...found, own];
  return [...found, own, { ...own, base: `http://${domain}` }];
}

/** `RegistryConfig` of an engine's `/info` (Docker's API, SystemInfo). What has another form counts as not said. */
export function placesIn(info: unknown): Places {
  const config = isRecord(info) && isRecord(info['RegistryConfig']) ? info['RegistryConfig'] : {};
  const indexes = isRecord(config['IndexConfigs']) ? config['IndexConfigs'] : {};
  const insecure = new Set<string>();
  const mirrors: Record<string, readonly string[]> = {};
  for (const [host, index] of Object.entries(indexes)) {
    if (!isRecord(index)) continue;
    if (index['Secure'] === false) insecure.add(host);
    const bases = textsOf(index['Mirrors']).filter(isBase);
    if (bases.length > 0) mirrors[host] = bases.map((base) => base.replace(/\/+$/, ''));
  }
  const ranges = rangesOf(textsOf(config['InsecureRegistryCIDRs']));
  return { mirrors, isInsecure: (host) => isNamed(insecure, host) || isWithin(ranges, host) };
}

/** The settings with which our own engine would start. Throws EngineError, as that would. */
export async function placesAt(
  dataRoot: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Places> {
  const file = join(dataRoot, 'config.json');
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new EngineError('unavailable', `cannot read ${file}: ${messageOf(error)}`, {
      cause: error,
    });
  });
  const variable = env['PINNACE_REGISTRY_MIRROR'];
  const protocolOf = (url: string): string | undefined => URL.parse(url)?.protocol;
  const { mirrors, insecure } = registryConfigOf({ file, text, variable, protocolOf });
  const names = new Set(insecure);
  return { mirrors, isInsecure: (host) => isNamed(names, host) };
}

function isNamed(names: ReadonlySet<string>, host: string): boolean {
  return names.has(host) || names.has(host.replace(/:\d+$/, ''));
}

function isWithin(ranges: BlockList, host: string): boolean {
  const name = host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  const family = isIP(name);
  if (family === 0) return name === 'localhost' && ranges.check('127.0.0.1', 'ipv4');
  return ranges.check(name, family === 6 ? 'ipv6' : 'ipv4');
}

function rangesOf(texts: readonly string[]): BlockList {
  const ranges = new BlockList();
  for (const text of texts) {
    const [, address = '', bits = ''] = /^([\da-fA-F.:]+)\/(\d{1,3})$/.exec(text) ?? [];
    const family = isIP(address);
    if (family === 0 || Number(bits) > (family === 6 ? 128 : 32)) continue;
    ranges.addSubnet(address, Number(bits), family === 6 ? 'ipv6' : 'ipv4');
  }
  return ranges;
}

function isBase(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
}
