/**
 * Reads the certificates that docker and podman keep for single registries (`certs.d/HOST[:PORT]`): authorities, and what
 * proves this machine to the registry. Changes nothing, and reads the folder of the registry that is asked and no other.
 */
import { readdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { EngineError, messageOf } from '../../lib/errors.ts';

export interface Certificates {
  /** Authorities that are believed beside the usual ones, each in PEM. */
  readonly authorities: readonly string[];
  /** In PEM; what the registry is shown when it asks who we are. */
  readonly client: { readonly cert: string; readonly key: string } | undefined;
}

const NONE: Certificates = { authorities: [], client: undefined };
const FILES = 100;
const BYTES = 1024 * 1024;

/**
 * What is kept for a registry (`ghcr.io`, `localhost:5000`). Throws EngineError: forbidden for a file that cannot be
 * read, invalid for a certificate without its key, or the reverse (docker's documentation, "Verify repository client
 * with certificates").
 */
export async function certificatesFor(
  host: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Certificates> {
  if (!/^[\w[][\w.[\]:-]*$/.test(host)) return NONE;
  const found = await Promise.all(foldersOf(env).map((folder) => readFolder(join(folder, host))));
  return {
    authorities: found.flatMap(({ authorities }) => authorities),
    client: found.find(({ client }) => client !== undefined)?.client,
  };
}

/** The user's own first, as rootless engines have them, then the machine's. */
function foldersOf(env: Readonly<Record<string, string | undefined>>): string[] {
  const given = env['XDG_CONFIG_HOME'] ?? '';
  // XDG base directory specification: one that is not absolute is no value.
  const own = isAbsolute(given) ? given : join(env['HOME'] || homedir(), '.config');
  return [own, '/etc'].flatMap((place) =>
    ['docker', 'containers'].map((name) => join(place, name, 'certs.d')),
  );
}

async function readFolder(folder: string): Promise<Certificates> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw unreadable(folder, error);
  });
  const known = new Set(names);
  const sorted = names.slice(0, FILES).sort();
  const authorities = sorted.filter((name) => name.endsWith('.crt'));
  for (const name of sorted) {
    const other = partnerOf(name);
    if (other !== undefined && !known.has(other))
      throw new EngineError(
        'invalid',
        `${join(folder, name)} is of no use without ${other} beside it`,
      );
  }
  const cert = sorted.find((name) => name.endsWith('.cert'));
  return {
    authorities: await Promise.all(authorities.map((name) => readText(join(folder, name)))),
    client:
      cert === undefined
        ? undefined
        : {
            cert: await readText(join(folder, cert)),
            key: await readText(join(folder, partnerOf(cert) ?? '')),
          },
  };
}

/** `x.cert` and `x.key` belong together. */
function partnerOf(name: string): string | undefined {
  if (name.endsWith('.cert')) return name.replace(/\.cert$/, '.key');
  return name.endsWith('.key') ? name.replace(/\.key$/, '.cert') : undefined;
}

async function readText(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw unreadable(path, error);
  });
  if (text.length > BYTES) throw new EngineError('invalid', `${path} is larger than 1 MiB`);
  return text;
}

function isMissing(error: unknown): boolean {
  return (
    error instanceof Error && 'code' in error && ['ENOENT', 'ENOTDIR'].includes(String(error.code))
  );
}

function unreadable(path: string, cause: unknown): EngineError {
  return new EngineError('forbidden', `cannot read ${path}: ${messageOf(cause)}`, { cause });
}
