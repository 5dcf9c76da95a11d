/** Owns the computing of digests and chain ids. It touches no files. */

import { createHash } from 'node:crypto';
import type { Digest } from '../../lib/image/config.ts';

/** The sha256 digest of bytes or of a text's UTF-8 form. */
export function sha256(data: Buffer | string): Digest {
  return `sha256:${createHash('sha256').update(data).digest('hex')}`;
}

/** The chain id of a layer above a chain (image-spec, "Layer ChainID"). */
export function chainId(parent: Digest | null, diffId: Digest): Digest {
  return parent === null ? diffId : sha256(`${parent} ${diffId}`);
}

/** The chain ids of a list of diff ids, bottom first, same length. */
export function chainIds(diffIds: readonly Digest[]): Digest[] {
  const chain: Digest[] = [];
  for (const diffId of diffIds) chain.push(chainId(chain.at(-1) ?? null, diffId));
  return chain;
}
