/**
 * Asks an engine that runs for its images' settings, for rules that depend on them. It starts no engine, pulls nothing,
 * and asks no registry.
 */
import { existsSync } from 'node:fs';
import { EngineError } from '../../lib/errors.ts';
import type { KnownImage } from '../../lib/dockerfile/lint/analysis/images.ts';
import type { RunConfig } from '../../lib/image/config.ts';
import {
  familiarName,
  familiarReference,
  type Reference,
  tryReference,
  withDefaultTag,
} from '../../lib/image/reference.ts';
import { inTurns } from '../../lib/turns.ts';
import { parseAddress } from '../api/addresses.ts';
import { type Client, createClient } from '../api/client.ts';
import { enginePaths } from '../engine/paths.ts';

/** By their names in one form (`debian:12`, `debian@sha256:…`); it can be sent to another thread. */
export type KnownImages = ReadonlyMap<string, KnownImage>;

/** More images than this are not looked at. */
const LIMIT = 1000;
/** Questions at a time. */
const AT_ONCE = 8;
const TIME_LIMIT = 10_000;

export interface EngineChoice {
  /** As `--host` has it; undefined: our engine, else Docker's usual socket. */
  readonly host: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

/** The images of the engine. Throws unavailable when none runs there. */
export async function localImages({ host, env, signal }: EngineChoice): Promise<KnownImages> {
  const address = host ?? env['PINNACE_HOST'] ?? '';
  const client = createClient(
    address === '' ? { socketPath: runningSocket(env) } : parseAddress(address),
  );
  const limited = AbortSignal.any([signal, AbortSignal.timeout(TIME_LIMIT)]);
  try {
    await client.negotiate(limited);
    const list = await client.images.list({ signal: limited });
    const names = list.flatMap(
      ({
        RepoTags,
        RepoDigests,
      }: Record<'RepoTags' | 'RepoDigests', string[] | null | undefined>) => [
        ...(RepoTags ?? []),
        ...(RepoDigests ?? []),
      ],
    );
    return await describeAll(client, names.slice(0, LIMIT), limited);
  } finally {
    client.close();
  }
}

/** What is known of an image under any of its names. */
export function knownImage(images: KnownImages, name: string): KnownImage | undefined {
  const reference = tryReference(name);
  return reference === undefined ? undefined : images.get(keyOf(reference));
}

/** A digest counts more than the tag before it; without either it is the tag `latest`. */
function keyOf(reference: Reference): string {
  const { digest } = reference;
  if (digest !== undefined) return `${familiarName(reference)}@${digest}`;
  return familiarReference(withDefaultTag(reference));
}

function runningSocket(env: NodeJS.ProcessEnv): string {
  const own = enginePaths({ env }).socket;
  const found = [own, '/var/run/docker.sock'].find((path) => existsSync(path));
  if (found !== undefined) return found;
  const message = `--images: no engine runs at ${own}; start one with pinnace engine start, name another by --host, or leave --images out`;
  throw new EngineError('unavailable', message, { path: own });
}

async function describeAll(
  client: Client,
  names: readonly string[],
  signal: AbortSignal,
): Promise<KnownImages> {
  const found = new Map<string, KnownImage>();
  await inTurns(AT_ONCE, names, async (name) => {
    const reference = tryReference(name);
    if (reference === undefined) return;
    const image = await describe(client, name, signal);
    if (image !== undefined) found.set(keyOf(reference), image);
  });
  return found;
}

/** undefined for an image that went away meanwhile. */
async function describe(
  client: Client,
  name: string,
  signal: AbortSignal,
): Promise<KnownImage | undefined> {
  try {
    const image = await client.images.inspect(name, { signal });
    // Other engines leave out what an image does not set.
    const { Env, User, Shell } = (image.Config as RunConfig | null | undefined) ?? {};
    return {
      environment: Env ?? [],
      user: User ?? '',
      shell: Shell ?? [],
      platforms: [`${image.Os}/${image.Architecture}`],
    };
  } catch (error) {
    if (error instanceof EngineError && error.kind === 'not-found') return undefined;
    throw error;
  }
}
