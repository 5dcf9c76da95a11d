/** Owns the reading of the registry settings: mirrors and registries that are spoken to without verified TLS. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../lib/errors.ts';
import { parseJson } from '../../lib/image/manifest.ts';

export interface RegistryConfig {
  /** Registry (as in a reference: `docker.io`) → base URLs that are asked before it, in order. */
  readonly mirrors: Readonly<Record<string, readonly string[]>>;
  /** `host[:port]` of registries that may be spoken to in plain HTTP or with an unknown certificate. */
  readonly insecure: readonly string[];
}

const MAX_BYTES = 1024 * 1024;

/**
 * Reads `<data-root>/config.json` (`{"mirrors":{"docker.io":["http://…"]},"insecureRegistries":["host:5000"]}`)
 * and PINNACE_REGISTRY_MIRROR (`URL` for docker.io, or `registry=URL`, several with commas), which comes first.
 * Throws `invalid` naming the file or variable and the member.
 */
export function readRegistryConfig(env: NodeJS.ProcessEnv, dataRoot: string): RegistryConfig {
  const file = join(dataRoot, 'config.json');
  const document = readDocument(file);
  const mirrors = new Map<string, string[]>();
  const add = (registry: string, url: string, where: string): void => {
    mirrors.set(registry, [...(mirrors.get(registry) ?? []), checkUrl(url, where)]);
  };
  for (const entry of (env['PINNACE_REGISTRY_MIRROR'] ?? '').split(',')) {
    const text = entry.trim();
    if (text === '') continue;
    const named = /^([a-zA-Z0-9.:[\]-]+)=(.*)$/.exec(text);
    add(named?.[1] ?? 'docker.io', named?.[2] ?? text, 'PINNACE_REGISTRY_MIRROR');
  }
  const table = document['mirrors'] ?? {};
  if (typeof table !== 'object' || Array.isArray(table))
    throw wrong(file, '"mirrors" is not an object');
  for (const [registry, urls] of Object.entries(table as Record<string, unknown>)) {
    for (const url of texts(urls, file, `mirrors["${registry}"]`)) add(registry, url, file);
  }
  return {
    mirrors: Object.fromEntries(mirrors),
    insecure: texts(document['insecureRegistries'] ?? [], file, 'insecureRegistries'),
  };
}

function readDocument(file: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw new EngineError('unavailable', `${file} cannot be read`, { cause: error, path: file });
  }
  return parseJson(text, file, MAX_BYTES);
}

function checkUrl(text: string, where: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw wrong(where, `the mirror "${text}" is not an http or https URL`);
  }
  return text.replace(/\/+$/, '');
}

function texts(value: unknown, where: string, member: string): string[] {
  if (Array.isArray(value) && value.every((entry) => typeof entry === 'string')) return value;
  throw wrong(where, `"${member}" is not a list of texts`);
}

function wrong(where: string, message: string): EngineError {
  return new EngineError('invalid', `${where}: ${message}`);
}
