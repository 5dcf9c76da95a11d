/**
 * What is known of images: those of a running local engine, and tags and configurations of registries. Nothing is
 * asked of a registry, nor for a login, before the workspace is trusted; an engine is never started; nobody waits.
 */
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type Client, createClient } from '../../src/client/api/client.ts';
import { enginePaths } from '../../src/client/engine/paths.ts';
import { RegistryBrowser } from '../../src/client/registry/browse.ts';
import { Hub } from '../../src/client/registry/hub.ts';
import { type Places, placesAt, placesIn } from '../../src/client/registry/places.ts';
import { listTags, readImage } from '../../src/client/registry/registry.ts';
import type { RegistryOptions } from '../../src/client/registry/session.ts';
import { EngineError } from '../../src/lib/errors.ts';
import {
  familiarReference,
  formatReference,
  type Reference,
  repositoryOf,
  tryReference,
  withDefaultTag,
} from '../../src/lib/image/reference.ts';
import { isRecord } from '../../src/lib/record.ts';
import type { ImageSource, Known } from '../features/completion/images.ts';
import type { ImageDescription, ImageFacts } from '../features/hover/image.ts';
import { Cache, GivenUp } from './cache.ts';
import { loginOfDocker, type LoginSource } from './logins.ts';
import { Registries } from './registries.ts';

/** What may be asked, read anew at every look-up. */
export interface Permissions {
  readonly engine: boolean;
  readonly registry: boolean;
  /** '' for the usual places. */
  readonly socket: string;
}

const NOTHING = { value: undefined, pending: false } as const;
const SECOND = 1000;
const TIME_LIMIT = 3 * SECOND;
/** Milliseconds for which a name stays as it is before its digest is asked for. */
const SETTLING = 400;
const IMAGES_LIMIT = 1000;
/** Of a registry's catalog, a hundred names each. */
const PAGES_LIMIT = 5;
/** More failures of registries are not told. */
const COMPLAINTS = 50;

export class ImageKnowledge implements ImageSource, ImageFacts {
  private readonly permissions: () => Permissions;
  private readonly listeners: (() => void)[] = [];
  private readonly complaints = new Set<string>();
  private complain: (message: string) => void = () => undefined;
  private readonly failed = (error: unknown): void => {
    // A name that is not there is half a name, most often.
    if (!(error instanceof EngineError) || error.kind === 'not-found') return;
    if (this.complaints.has(error.message) || this.complaints.size >= COMPLAINTS) return;
    this.complaints.add(error.message);
    this.complain(error.message);
  };
  private readonly arrived = (): void => {
    for (const listener of this.listeners) listener();
  };
  private readonly images = new Cache<readonly string[]>({
    fresh: 10 * SECOND,
    retry: 10 * SECOND,
    arrived: this.arrived,
  });
  private readonly lists = new Cache<readonly string[]>({
    fresh: 600 * SECOND,
    retry: 60 * SECOND,
    failed: this.failed,
  });
  private readonly catalogs = new Cache<readonly string[]>({
    fresh: 600 * SECOND,
    retry: 60 * SECOND,
    failed: this.failed,
  });
  private readonly inspected = new Cache<ImageDescription>({
    fresh: 60 * SECOND,
    retry: 30 * SECOND,
    arrived: this.arrived,
  });
  private readonly remote = new Cache<ImageDescription>({
    fresh: 3600 * SECOND,
    retry: 60 * SECOND,
    failed: this.failed,
  });

  private readonly registries: Registries;
  /** The name whose digest was asked for last. */
  private wanted = '';

  /** Logins are docker's own where no other source is given. */
  constructor(permissions: () => Permissions, login: LoginSource = loginOfDocker) {
    this.permissions = permissions;
    this.registries = new Registries({
      env: process.env,
      login: async (host) => (permissions().registry ? login(host) : undefined),
      places: () => registryPlaces(permissions()),
      failed: this.failed,
    });
  }

  local(): Known<readonly string[]> {
    const { engine, socket } = this.permissions();
    const path = engine ? socketOf(socket) : undefined;
    return path === undefined ? NOTHING : this.images.get(path, () => imagesOf(path));
  }

  tags(repository: Reference): Known<readonly string[]> {
    if (!this.permissions().registry) return NOTHING;
    return this.lists.get(repositoryOf(repository), () =>
      this.registries.ask(repository.domain, (options) => listTags(repository, options)),
    );
  }

  repositories(place: string): Known<readonly string[]> {
    if (!this.permissions().registry) return NOTHING;
    const isHost = /[.:]/.test(place) || place === 'localhost';
    const [domain, list] = isHost ? [place, catalogOf] : ['docker.io', namespaceOf];
    return this.catalogs.get(place, () =>
      this.registries.askItself(domain, (options) => list(place, options)),
    );
  }

  /** Editors ask for it wherever the cursor is: a registry is not asked for what is half a name while it is written. */
  digest(name: string): Known<string> {
    this.wanted = name;
    const { value, pending } = this.described(name, () => this.settled(name));
    return { value: value?.digest === '' ? undefined : value?.digest, pending };
  }

  platforms(name: string): Known<readonly string[]> {
    const { value, pending } = this.describe(name);
    return { value: value?.platforms, pending };
  }

  /** Calls back with what registries refuse or fail at, each once; what they do not have is no failure. */
  onFailed(complain: (message: string) => void): void {
    this.complain = complain;
  }

  /** Calls back when more is known of the engine's images than was told before. */
  onArrived(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** An image that a local engine has; nothing else is asked, so that half a name costs nothing. */
  describeLocal(name: string): ImageDescription | undefined {
    const reference = tryReference(name);
    const names = reference === undefined ? undefined : this.local().value;
    if (reference === undefined) return undefined;
    const tagged = familiarReference(withDefaultTag(reference));
    if (names?.includes(tagged) !== true) return undefined;
    const path = socketOf(this.permissions().socket);
    if (path === undefined) return undefined;
    return this.inspected.get(`${path} ${name}`, () => inspect(path, name)).value;
  }

  describe(name: string): Known<ImageDescription> {
    return this.described(name, () => Promise.resolve());
  }

  /** Rejects when another name is wanted soon. */
  private async settled(name: string): Promise<void> {
    await delay(SETTLING, undefined, { ref: false });
    if (this.wanted !== name) throw new GivenUp(name);
  }

  /** `ready` is waited for before a registry is asked. */
  private described(name: string, ready: () => Promise<void>): Known<ImageDescription> {
    const reference = tryReference(name);
    if (reference === undefined) return NOTHING;
    const { engine, registry, socket } = this.permissions();
    const path = engine ? socketOf(socket) : undefined;
    const local =
      path === undefined
        ? NOTHING
        : this.inspected.get(`${path} ${name}`, () => inspect(path, name));
    if (local.value !== undefined || !registry) return local;
    const remote = this.remote.get(formatReference(reference), async () => {
      await ready();
      return this.registries.ask(reference.domain, (options) => lookUp(reference, options));
    });
    return { value: remote.value, pending: local.pending || remote.pending };
  }

  /** Forgets everything, for when settings or trust changed. */
  clear(): void {
    for (const cache of [this.images, this.lists, this.catalogs, this.inspected, this.remote])
      cache.clear();
    this.registries.clear();
    this.complaints.clear();
  }
}

/** Milliseconds for which a socket that was there, or was not, is believed to be so still. */
const SOCKET_LIFE = 500;

let lastLook: { setting: string; at: number; path: string | undefined } | undefined;

/** The first socket that is there: the setting's, our engine's, Docker's. Every judging asks, so the disk is asked less often. */
export function socketOf(setting: string): string | undefined {
  const now = performance.now();
  if (lastLook?.setting === setting && now - lastLook.at < SOCKET_LIFE) return lastLook.path;
  const path = lookForSocket(setting);
  lastLook = { setting, at: now, path };
  return path;
}

function lookForSocket(setting: string): string | undefined {
  if (setting !== '') return existsSync(setting) ? setting : undefined;
  try {
    return [enginePaths().socket, '/var/run/docker.sock'].find((path) => existsSync(path));
  } catch {
    return undefined; // No place for an engine: then there is none.
  }
}

/** As the engine that is asked says; without one as ours would begin. */
async function registryPlaces({ engine, socket }: Permissions): Promise<Places> {
  const path = engine ? socketOf(socket) : undefined;
  if (path === undefined) return placesAt(enginePaths().dataRoot, process.env);
  return placesIn(await withClient(path, (client, signal) => client.system.info({ signal })));
}

async function withClient<T>(
  socketPath: string,
  call: (client: Client, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const client = createClient({ socketPath });
  try {
    const signal = AbortSignal.timeout(TIME_LIMIT);
    await client.negotiate(signal);
    return await call(client, signal);
  } finally {
    client.close();
  }
}

function imagesOf(socketPath: string): Promise<readonly string[]> {
  return withClient(socketPath, async (client, signal) => {
    const list = await client.images.list({ signal });
    const names = list.flatMap(
      ({ RepoTags }: { readonly RepoTags: readonly string[] | null }) => RepoTags ?? [],
    );
    const references = names.flatMap((name) => tryReference(name) ?? []);
    return references.slice(0, IMAGES_LIMIT).map(familiarReference).sort();
  });
}

function inspect(socketPath: string, name: string): Promise<ImageDescription> {
  return withClient(socketPath, async (client, signal) => {
    const image = await client.images.inspect(name, { signal });
    const found: unknown = image;
    const { Os, Architecture, Size, Created, RepoDigests } = image;
    const config = isRecord(found) && isRecord(found['Config']) ? found['Config'] : {};
    return {
      ...configurationOf(config),
      size: Size,
      platforms: [`${Os}/${Architecture}`],
      created: textOf(Created),
      digest: digestIn(RepoDigests, name),
      where: 'local',
    };
  });
}

/** A registry's repositories, as far as it lists them. */
async function catalogOf(host: string, options: RegistryOptions): Promise<readonly string[]> {
  const browser = new RegistryBrowser(host, options);
  const names: string[] = [];
  let page: string | undefined;
  for (let count = 0; count < PAGES_LIMIT; count++) {
    const found = await browser.repositories(page);
    names.push(...found.names.map((name) => `${host}/${name}`));
    page = found.next;
    if (page === undefined) break;
  }
  return names;
}

/** The repositories of a user or organisation on Docker Hub. */
async function namespaceOf(
  namespace: string,
  { askLogin }: RegistryOptions,
): Promise<readonly string[]> {
  const login = await askLogin?.();
  // Docker Hub's own API takes no refresh tokens.
  const { items } = await new Hub({
    login: login?.identity === true ? undefined : login,
  }).repositories(namespace);
  return items.map(({ name }) => name);
}

async function lookUp(reference: Reference, options: RegistryOptions): Promise<ImageDescription> {
  const platform = `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`;
  const { config, size, platforms, digest } = await readImage(reference, platform, options);
  const inner = isRecord(config['config']) ? config['config'] : {};
  const created = textOf(config['created']);
  return { ...configurationOf(inner), size, platforms, created, digest, where: 'registry' };
}

type Configuration = Omit<ImageDescription, 'size' | 'platforms' | 'created' | 'digest' | 'where'>;

/** The digest under which an image was pulled from the repository of a name; '' for one that was built here. */
function digestIn(digests: unknown, name: string): string {
  const wanted = tryReference(name);
  for (const text of listOf(digests)) {
    const found = tryReference(text);
    if (found?.digest === undefined || wanted === undefined) continue;
    if (repositoryOf(found) === repositoryOf(wanted)) return found.digest;
  }
  return '';
}

function configurationOf(config: Readonly<Record<string, unknown>>): Configuration {
  return {
    environment: listOf(config['Env']),
    user: textOf(config['User']),
    shell: listOf(config['Shell']),
    entrypoint: listOf(config['Entrypoint']),
    command: listOf(config['Cmd']),
    directory: textOf(config['WorkingDir']),
    ports: keysOf(config['ExposedPorts']),
    volumes: keysOf(config['Volumes']),
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function keysOf(value: unknown): string[] {
  return isRecord(value) ? Object.keys(value) : [];
}
