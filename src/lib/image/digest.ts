/** Owns the form of content digests (image-spec, "Digests"). It computes none: hashing needs the platform. */

import { EngineError } from '../errors.ts';
import type { Digest } from './config.ts';

const DIGEST = /^sha256:[a-f0-9]{64}$/;

/** Whether a value is `sha256:` and 64 lower-case hexadecimal digits. */
export function isDigest(value: unknown): value is Digest {
  return typeof value === 'string' && DIGEST.test(value);
}

/** The digest itself; throws `invalid` naming `what` for anything else. */
export function checkDigest(value: unknown, what: string): Digest {
  if (isDigest(value)) return value;
  throw new EngineError('invalid', `${what}: ${quote(value)} is not a sha256 digest`);
}

/** The 64 hexadecimal digits. */
export function hexOf(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

/** The 12 digits that people see. */
export function shortId(digest: Digest): string {
  return hexOf(digest).slice(0, 12);
}

function quote(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : typeof value;
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
