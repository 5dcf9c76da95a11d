/** Owns the meaning of the engine's registry settings: mirrors, and registries that are spoken to without verified TLS. It reads no file. */
import { EngineError } from '../errors.ts';
import { parseJson } from './manifest.ts';

export interface RegistryConfig {
  /** Registry (as in a reference: `docker.io`) → base URLs that are asked before it, in order. */
  readonly mirrors: Readonly<Record<string, readonly string[]>>;
  /** `host[:port]` of registries that may be spoken to in plain HTTP or with an unknown certificate. */
  readonly insecure: readonly string[];
}

export interface RegistryConfigSource {
  /** Named in errors. */
  readonly file: string;
  /** The file's text; undefined where there is none. */
  readonly text: string | undefined;
  /** The value of PINNACE_REGISTRY_MIRROR: `URL` for docker.io, or `registry=URL`, several with commas. */
  readonly variable: string | undefined;
  /** The protocol of a URL (`https:`) as the platform reads it; undefined where it is none. */
  readonly protocolOf: (url: string) => string | undefined;
}

const MAX_BYTES = 1024 * 1024;

/**
 * Reads `{"mirrors":{"docker.io":["http://…"]},"insecureRegistries":["host:5000"]}` and the variable, which comes
 * first. Throws `invalid` naming the file or variable and the member.
 */
export function registryConfigOf({
  file,
  text,
  variable,
  protocolOf,
}: RegistryConfigSource): RegistryConfig {
  const document = text === undefined ? {} : parseJson(text, file, MAX_BYTES);
  const mirrors = new Map<string, string[]>();
  const add = (registry: string, url: string, where: string): void => {
    if (!['http:', 'https:'].includes(protocolOf(url) ?? ''))
      throw wrong(where, `the mirror "${url}" is not an http or https URL`);
    mirrors.set(registry, [...(mirrors.get(registry) ?? []), url.replace(/\/+$/, '')]);
  };
  for (const part of (variable ?? '').split(',')) {
    const entry = part.trim();
    if (entry === '') continue;
    const named = /^([a-zA-Z0-9.:[\]-]+)=(.*)$/.exec(entry);
    add(named?.[1] ?? 'docker.io', named?.[2] ?? entry, 'PINNACE_REGISTRY_MIRROR');
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

function texts(value: unknown, where: string, member: string): string[] {
  if (Array.isArray(value) && value.every((entry) => typeof entry === 'string')) return value;
  throw wrong(where, `"${member}" is not a list of texts`);
}

function wrong(where: string, message: string): EngineError {
  return new EngineError('invalid', `${where}: ${message}`);
}
