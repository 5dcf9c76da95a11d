/**
 * Owns the grammar of image references and their two forms: the full one (`docker.io/library/busybox:latest`)
 * and the familiar one (`busybox:latest`), as github.com/distribution/reference defines them.
 */

import { EngineError } from '../errors.ts';
import type { Digest } from './config.ts';
import { isDigest } from './digest.ts';

/** A normalised name; `domain` is a registry's host with an optional port. */
export interface Reference {
  readonly domain: string;
  /** The repository's path on the registry, e.g. `library/busybox`. */
  readonly path: string;
  readonly tag: string | undefined;
  readonly digest: Digest | undefined;
}

export const DEFAULT_DOMAIN = 'docker.io';
const LEGACY_DOMAIN = 'index.docker.io';
const OFFICIAL = 'library/';
const MAX_NAME = 255;
const MAX_TEXT = 4096;

const DOMAIN =
  /^(?:(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,253}[a-zA-Z0-9])?)(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,253}[a-zA-Z0-9])?)*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?$/;
const COMPONENT = /^[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const ANY_DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;
const IDENTIFIER = /^[a-f0-9]{64}$/;

/**
 * Parses and normalises a name: `busybox`, `host:5000/a/b:tag@sha256:…`. Adds no tag.
 * Throws `invalid` with the wording of distribution/reference.
 */
export function parseReference(text: string): Reference {
  if (text.length > MAX_TEXT) throw invalid();
  if (IDENTIFIER.test(text)) {
    throw new EngineError(
      'invalid',
      `invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`,
    );
  }
  const { domain, rest } = splitDomain(text);
  const at = rest.indexOf('@');
  const named = at < 0 ? rest : rest.slice(0, at);
  const colon = named.indexOf(':');
  const path = colon < 0 ? named : named.slice(0, colon);
  if (path.toLowerCase() !== path) {
    throw new EngineError(
      'invalid',
      `invalid reference format: repository name (${path}) must be lowercase`,
    );
  }
  if (!DOMAIN.test(domain) || !path.split('/').every((part) => COMPONENT.test(part)))
    throw invalid();
  if (path.length > MAX_NAME) {
    throw new EngineError(
      'invalid',
      `repository name must not be more than ${String(MAX_NAME)} characters`,
    );
  }
  const tag = colon < 0 ? undefined : named.slice(colon + 1);
  if (tag !== undefined && !TAG.test(tag)) throw invalid();
  return { domain, path, tag, digest: at < 0 ? undefined : parseDigest(rest.slice(at + 1)) };
}

/** As parseReference, but undefined where it throws. */
export function tryReference(text: string): Reference | undefined {
  try {
    return parseReference(text);
  } catch {
    return undefined;
  }
}

/** The reference with tag `latest` when it has neither tag nor digest. */
export function withDefaultTag(reference: Reference): Reference {
  if (reference.tag !== undefined || reference.digest !== undefined) return reference;
  return { ...reference, tag: 'latest' };
}

/** The full name without tag and digest: `docker.io/library/busybox`. */
export function repositoryOf(reference: Reference): string {
  return `${reference.domain}/${reference.path}`;
}

/** The full form with what it has of tag and digest. */
export function formatReference(reference: Reference): string {
  return repositoryOf(reference) + suffix(reference);
}

/** The name as people write it, without tag and digest: `busybox`, `user/app`, `host:5000/app`. */
export function familiarName(reference: Reference): string {
  const { domain, path } = reference;
  if (domain !== DEFAULT_DOMAIN) return `${domain}/${path}`;
  const short = path.slice(OFFICIAL.length);
  return path.startsWith(OFFICIAL) && !short.includes('/') ? short : path;
}

/** The familiar form with what it has of tag and digest. */
export function familiarReference(reference: Reference): string {
  return familiarName(reference) + suffix(reference);
}

function suffix(reference: Reference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  return tag + (reference.digest === undefined ? '' : `@${reference.digest}`);
}

/** What is before the first slash is a registry when it looks like a host, or could be no namespace. */
function splitDomain(text: string): { domain: string; rest: string } {
  const slash = text.indexOf('/');
  const first = slash < 0 ? '' : text.slice(0, slash);
  const isHost = first === 'localhost' || /[.:]/.test(first) || first.toLowerCase() !== first;
  let domain = isHost ? first : DEFAULT_DOMAIN;
  let rest = isHost ? text.slice(slash + 1) : text;
  if (domain === LEGACY_DOMAIN) domain = DEFAULT_DOMAIN;
  if (domain === DEFAULT_DOMAIN && !rest.includes('/')) rest = OFFICIAL + rest;
  return { domain, rest };
}

function parseDigest(text: string): Digest {
  const candidate: unknown = text;
  if (isDigest(candidate)) return candidate;
  if (!ANY_DIGEST.test(text)) throw invalid();
  const algorithm = text.slice(0, text.indexOf(':'));
  throw new EngineError(
    'invalid',
    algorithm === 'sha256' ? 'invalid checksum digest length' : 'unsupported digest algorithm',
  );
}

function invalid(): EngineError {
  return new EngineError('invalid', 'invalid reference format');
}
