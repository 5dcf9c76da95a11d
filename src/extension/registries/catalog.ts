/**
 * What registries hold, as far as the user has looked: repositories and tags, page by page, kept until they are
 * forgotten. Asks registries only when asked; knows no editor.
 */
import type { RegistryBrowser } from '../../client/registry/browse.ts';
import type { Hub } from '../../client/registry/hub.ts';
import { sortTags } from '../../client/registry/order.ts';
import { EngineError, kindOf, messageOf } from '../../lib/errors.ts';

export interface CatalogSource {
  readonly browser: (host: string) => Promise<RegistryBrowser>;
  readonly hub: () => Promise<Hub>;
  /** Repositories and namespaces that the user added. */
  readonly namesOf: (host: string) => readonly string[];
  readonly usernameAt: (host: string) => Promise<string | undefined>;
}

export interface RepositoryFacts {
  readonly name: string;
  readonly description?: string;
  readonly isPrivate?: boolean;
}

export interface TagFacts {
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly updated?: number;
  /** Bytes, compressed. */
  readonly size?: number;
}

export interface Shelf<T> {
  readonly items: readonly T[];
  /** There is more: `more` gets it. */
  readonly isCut: boolean;
  /** Why items are missing, for people. */
  readonly note?: string;
}

type More<T> = () => Promise<Loaded<T>>;

interface Loaded<T> {
  readonly items: readonly T[];
  readonly more?: More<T> | undefined;
  readonly note?: string;
}

/** Tags that are shown at once. */
const TAGS_SHOWN = 100;
const TAGS_LIMIT = 20_000;

export class Catalog {
  private readonly source: CatalogSource;
  private readonly repositoryShelves = new Map<string, Promise<Loaded<RepositoryFacts>>>();
  private readonly tagShelves = new Map<string, Promise<Loaded<TagFacts>>>();

  constructor(source: CatalogSource) {
    this.source = source;
  }

  async repositories(host: string): Promise<Shelf<RepositoryFacts>> {
    const load = host === 'docker.io' ? () => this.ofHub() : () => this.ofRegistry(host);
    return shelfOf(await kept(this.repositoryShelves, host, load));
  }

  async tags(host: string, repository: string): Promise<Shelf<TagFacts>> {
    const load = (): Promise<Loaded<TagFacts>> =>
      host === 'docker.io' ? this.hubTags(repository) : this.registryTags(host, repository);
    return shelfOf(await kept(this.tagShelves, `${host}/${repository}`, load));
  }

  /** Gets the next page of a host's repositories, or of a repository's tags. */
  async more(host: string, repository?: string): Promise<void> {
    if (repository === undefined) await extend(this.repositoryShelves, host);
    else await extend(this.tagShelves, `${host}/${repository}`);
  }

  /** Forgets what was read of a host, or of a repository. */
  forget(host: string, repository?: string): void {
    if (repository === undefined) this.repositoryShelves.delete(host);
    for (const key of [...this.tagShelves.keys()])
      if (repository === undefined ? key.startsWith(`${host}/`) : key === `${host}/${repository}`)
        this.tagShelves.delete(key);
  }

  /** Namespaces' repositories and single ones; a namespace that fails is a note, the others are shown. */
  private async ofHub(): Promise<Loaded<RepositoryFacts>> {
    const names = this.source.namesOf('docker.io');
    const single = names.filter((name) => name.includes('/')).map((name) => ({ name }));
    const user = await this.source.usernameAt('docker.io');
    const namespaces = new Set(names.filter((name) => !name.includes('/')));
    if (user !== undefined && user !== '') namespaces.add(user);
    if (namespaces.size === 0 && single.length === 0)
      return { items: [], note: 'Sign in, or add a namespace or repository.' };
    const hub = await this.source.hub();
    const notes: string[] = [];
    const parts = await Promise.all(
      [...namespaces].map((namespace) =>
        this.namespace(hub, namespace, 1).catch((error: unknown): Loaded<RepositoryFacts> => {
          if (kindOf(error) !== 'not-found' || namespaces.size === 1) throw error;
          notes.push(messageOf(error));
          return { items: [] };
        }),
      ),
    );
    const joined = join(parts);
    const known = new Set(joined.items.map(({ name }) => name));
    const items = [...joined.items, ...single.filter(({ name }) => !known.has(name))];
    return { ...joined, items, ...(notes.length === 0 ? {} : { note: notes.join(' ') }) };
  }

  private async namespace(hub: Hub, name: string, page: number): Promise<Loaded<RepositoryFacts>> {
    const { items, next } = await hub.repositories(name, page);
    return { items, more: next === undefined ? undefined : () => this.namespace(hub, name, next) };
  }

  private async ofRegistry(host: string): Promise<Loaded<RepositoryFacts>> {
    const added = this.source.namesOf(host).map((name) => ({ name }));
    // GitHub's registry has no catalog at all.
    if (host === 'ghcr.io')
      return added.length > 0
        ? { items: added }
        : { items: [], note: 'GitHub lists no packages here: add a repository by its name.' };
    const browser = await this.source.browser(host);
    try {
      const first = await catalogPage(browser, undefined);
      const known = new Set(first.items.map(({ name }) => name));
      return { ...first, items: [...added.filter(({ name }) => !known.has(name)), ...first.items] };
    } catch (error) {
      const hidden = kindOf(error) === 'forbidden' || kindOf(error) === 'not-found';
      if (!hidden && added.length === 0) throw error;
      const note = hidden
        ? `${host} does not list its repositories: add one by its name.`
        : `${messageOf(error)}; only the repositories that you added are shown.`;
      return { items: added, note };
    }
  }

  private async hubTags(repository: string, page = 1): Promise<Loaded<TagFacts>> {
    const hub = await this.source.hub();
    const { items, next } = await hub.tags(repository, page);
    const tags = items.map(({ name, updated, size }) => ({
      name,
      size,
      ...(updated === undefined ? {} : { updated }),
    }));
    return {
      items: tags,
      more: next === undefined ? undefined : () => this.hubTags(repository, next),
    };
  }

  private async registryTags(host: string, repository: string): Promise<Loaded<TagFacts>> {
    const browser = await this.source.browser(host);
    const names: string[] = [];
    let page: string | undefined;
    do {
      const answer = await browser.tags(repository, page);
      names.push(...answer.names);
      page = answer.next;
    } while (page !== undefined && names.length < TAGS_LIMIT);
    return sliced(sortTags([...new Set(names)]).map((name) => ({ name })));
  }
}

async function catalogPage(
  browser: RegistryBrowser,
  page: string | undefined,
): Promise<Loaded<RepositoryFacts>> {
  const { names, next } = await browser.repositories(page);
  const items = names.map((name) => ({ name }));
  return { items, more: next === undefined ? undefined : () => catalogPage(browser, next) };
}

function sliced<T>(items: readonly T[]): Loaded<T> {
  if (items.length <= TAGS_SHOWN) return { items };
  const rest = items.slice(TAGS_SHOWN);
  return { items: items.slice(0, TAGS_SHOWN), more: () => Promise.resolve(sliced(rest)) };
}

/** Several lists as one, whose next page is the next page of each. */
function join<T>(parts: readonly Loaded<T>[]): Loaded<T> {
  const mores = parts.flatMap(({ more }) => (more === undefined ? [] : [more]));
  return {
    items: parts.flatMap(({ items }) => items),
    more:
      mores.length === 0
        ? undefined
        : async () => join(await Promise.all(mores.map((more) => more()))),
  };
}

function shelfOf<T>({ items, more, note }: Loaded<T>): Shelf<T> {
  return { items, isCut: more !== undefined, ...(note === undefined ? {} : { note }) };
}

function kept<T>(
  shelves: Map<string, Promise<Loaded<T>>>,
  key: string,
  load: () => Promise<Loaded<T>>,
): Promise<Loaded<T>> {
  const held = shelves.get(key);
  if (held !== undefined) return held;
  const made = load();
  shelves.set(key, made);
  // A failure is not kept: looking again asks again.
  made.catch(() => shelves.delete(key));
  return made;
}

async function extend<T>(shelves: Map<string, Promise<Loaded<T>>>, key: string): Promise<void> {
  const held = await shelves.get(key);
  if (held?.more === undefined)
    throw new EngineError('conflict', `everything of ${key} is shown already`);
  const { items, more } = await held.more();
  const note = held.note === undefined ? {} : { note: held.note };
  shelves.set(key, Promise.resolve({ items: [...held.items, ...items], more, ...note }));
}
