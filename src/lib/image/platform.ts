/** Owns platform names: how they are written, normalised and matched, and which entry of an image index fits a machine. */

import { EngineError } from '../errors.ts';
import type { Descriptor, ImageIndex, Platform } from './config.ts';

const ARCHITECTURES: Readonly<Record<string, string>> = {
  i386: '386',
  x86_64: 'amd64',
  'x86-64': 'amd64',
  x64: 'amd64',
  ia32: '386',
  aarch64: 'arm64',
  armhf: 'arm',
  armel: 'arm',
  mips64el: 'mips64le',
  mipsel: 'mipsle',
};

const KNOWN_ARCHITECTURES: ReadonlySet<string> = new Set([
  '386',
  'amd64',
  'arm',
  'arm64',
  'loong64',
  'mips',
  'mips64',
  'mips64le',
  'mipsle',
  'ppc64',
  'ppc64le',
  'riscv64',
  's390x',
  'wasm',
]);

const PART = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;

/** The platform of a machine from Node's `process.arch` (or uname's) name. */
export function platformOf(architecture: string): Platform {
  return normalisePlatform({ os: 'linux', architecture });
}

/** Reads `os`, `arch`, `os/arch` or `os/arch/variant`; throws `invalid`. */
export function parsePlatform(text: string, host: Platform): Platform {
  const parts = text.split('/');
  if (parts.length > 3 || !parts.every((part) => PART.test(part))) {
    throw new EngineError(
      'invalid',
      `"${text}" is an invalid platform: write it as os/arch or os/arch/variant, e.g. linux/amd64`,
    );
  }
  const [first = '', second, variant] = parts;
  if (second === undefined) {
    const architecture = normalisePlatform({ os: host.os, architecture: first });
    if (KNOWN_ARCHITECTURES.has(architecture.architecture)) return architecture;
    return normalisePlatform({ ...host, os: first });
  }
  return normalisePlatform({
    os: first,
    architecture: second,
    ...(variant === undefined ? {} : { variant }),
  });
}

/** One spelling for each platform, as containerd/platforms does it: `linux/x86_64` is `linux/amd64`, arm64's v8 goes without saying. */
export function normalisePlatform(platform: Platform): Platform {
  const os = platform.os.toLowerCase() === 'macos' ? 'darwin' : platform.os.toLowerCase();
  const written = platform.architecture.toLowerCase();
  const architecture = ARCHITECTURES[written] ?? written;
  const variant = normaliseVariant(written, architecture, (platform.variant ?? '').toLowerCase());
  const version = platform['os.version'];
  return {
    os,
    architecture,
    ...(variant === '' ? {} : { variant }),
    ...(version === undefined ? {} : { 'os.version': version }),
  };
}

/** `os/arch[/variant]`. */
export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant } = platform;
  return variant === undefined || variant === ''
    ? `${os}/${architecture}`
    : `${os}/${architecture}/${variant}`;
}

/** Whether an image of platform `offered` runs where `wanted` was asked for. */
export function platformMatches(wanted: Platform, offered: Platform): boolean {
  return rank(runnable(normalisePlatform(wanted)), normalisePlatform(offered)) >= 0;
}

/**
 * The entry of an index that fits best: the same variant first, then lower ones, then the older
 * instruction set that the same processor runs. Undefined when none fits. Entries without a platform
 * fit only when the index holds nothing else (some tools leave it out for single images).
 */
export function selectManifest(index: ImageIndex, wanted: Platform): Descriptor | undefined {
  const order = runnable(normalisePlatform(wanted));
  let best: Descriptor | undefined;
  let bestRank = Number.POSITIVE_INFINITY;
  for (const entry of index.manifests) {
    if (entry.platform === undefined) continue;
    const at = rank(order, normalisePlatform(entry.platform));
    if (at >= 0 && at < bestRank) {
      best = entry;
      bestRank = at;
    }
  }
  if (best !== undefined) return best;
  const [only] = index.manifests;
  return index.manifests.length === 1 && only?.platform === undefined ? only : undefined;
}

function normaliseVariant(written: string, architecture: string, variant: string): string {
  if (written === 'armhf') return 'v7';
  if (written === 'armel') return 'v6';
  if (architecture === 'arm64') return variant === '8' || variant === 'v8' ? '' : variant;
  if (architecture === 'amd64') return variant === 'v1' ? '' : variant;
  if (architecture !== 'arm') return variant;
  if (variant === '') return 'v7';
  return /^[5-8]$/.test(variant) ? `v${variant}` : variant;
}

/** What a platform runs, best first. */
function runnable(platform: Platform): Platform[] {
  const { os, architecture } = platform;
  const version = Number((platform.variant ?? '').replace(/^v/, ''));
  const make = (name: string, variant: string): Platform => ({
    os,
    architecture: name,
    ...(variant === '' ? {} : { variant }),
  });
  const arms = (from: number): Platform[] =>
    [8, 7, 6, 5].filter((at) => at <= from).map((at) => make('arm', `v${String(at)}`));
  if (architecture === 'arm' && version >= 5) return arms(version);
  if (architecture === 'arm64' && Number.isFinite(version)) {
    const own = platform.variant === undefined ? [] : [platform];
    return [...own, make('arm64', ''), ...arms(8)];
  }
  if (architecture === 'amd64' && Number.isFinite(version)) {
    const lower = [4, 3, 2]
      .filter((at) => at <= version)
      .map((at) => make('amd64', `v${String(at)}`));
    return [...lower, make('amd64', ''), make('386', '')];
  }
  return [platform];
}

function rank(order: readonly Platform[], offered: Platform): number {
  return order.findIndex(
    (candidate) =>
      candidate.os === offered.os &&
      candidate.architecture === offered.architecture &&
      (candidate.variant ?? '') === (offered.variant ?? ''),
  );
}
