/**
 * The registries that the user knows: their list, the logins in the editor's secret store, and docker's own logins where
 * the user said so. Secrets leave it towards registries and engines only. Knows no editor.
 */
import { RegistryBrowser } from '../../client/registry/browse.ts';
import { dockerLogin } from '../../client/registry/docker-config.ts';
import { Hub } from '../../client/registry/hub.ts';
import type { AuthConfig } from '../../lib/api/system.ts';
import { EngineError } from '../../lib/errors.ts';
import { parseReference } from '../../lib/image/reference.ts';
import { isRecord } from '../../lib/record.ts';
import type { Listener } from '../engine/engines.ts';
import { Listeners } from '../views/row.ts';
import { Catalog } from './catalog.ts';
import type { Account, CredentialSource } from './credentials.ts';

export const DOCKER_HUB = 'docker.io';
export const GHCR = 'ghcr.io';

/** The editor's secret store, as far as it is used. */
export interface Secrets {
  get(key: string): PromiseLike<string | undefined>;
  store(key: string, value: string): PromiseLike<void>;
  delete(key: string): PromiseLike<void>;
}

export interface RegistryParts {
  readonly memory: {
    get(key: string): unknown;
    set(key: string, value: unknown): Promise<void>;
  };
  readonly secrets: Secrets;
  /** Where docker's logins are found. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** For tests; the platform's otherwise. */
  readonly fetch?: typeof fetch;
}

export interface KnownRegistry {
  readonly host: string;
  /** Repositories, and namespaces of Docker Hub, that the user added. */
  readonly names: readonly string[];
}

export interface Look {
  readonly host: string;
  readonly repository: string | undefined;
}

export interface SignedIn extends Account {
  readonly from: 'editor' | 'docker';
}

const LIST = 'registries';
const CONSENT = 'registries.dockerLogins';

export class Registries implements CredentialSource {
  readonly registries = this;
  readonly catalog: Catalog;
  private readonly parts: RegistryParts;
  private readonly listeners = new Listeners<string | undefined>();
  private readonly looks = new Listeners<Look>();
  private readonly clients = new Map<string, Promise<Client>>();

  constructor(parts: RegistryParts) {
    this.parts = parts;
    this.catalog = new Catalog({
      browser: async (host) => (await this.client(host)).browser,
      hub: async () => (await this.client(DOCKER_HUB)).hub,
      namesOf: (host) => this.known(host)?.names ?? [],
      usernameAt: async (host) => (await this.account(host))?.username,
    });
  }

  /** Docker Hub and GHCR stand first until the user takes them away. */
  list(): readonly KnownRegistry[] {
    const stored = this.parts.memory.get(LIST);
    if (!Array.isArray(stored)) return [DOCKER_HUB, GHCR].map((host) => ({ host, names: [] }));
    return stored.flatMap((entry: unknown) => {
      if (!isRecord(entry) || typeof entry['host'] !== 'string') return [];
      const names: unknown = entry['names'];
      const texts = Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [];
      return [{ host: entry['host'], names: texts }];
    });
  }

  known(host: string): KnownRegistry | undefined {
    return this.list().find((entry) => entry.host === host);
  }

  /** Throws EngineError: conflict when it is known, and what `check` of the registry throws. */
  async add(host: string, account: Account | undefined, signal?: AbortSignal): Promise<void> {
    if (this.known(host) !== undefined)
      throw new EngineError('conflict', `${host} is in the list already`);
    await this.check(host, account, signal);
    if (account !== undefined) await this.keep(host, account);
    await this.save([...this.list(), { host, names: [] }]);
  }

  /** Takes it off the list and forgets its login. */
  async remove(host: string): Promise<void> {
    await this.parts.secrets.delete(secretKey(host));
    await this.save(this.list().filter((entry) => entry.host !== host));
    this.forget(host);
  }

  async addName(host: string, name: string): Promise<void> {
    const list = this.list().map((entry) =>
      entry.host === host ? { host, names: [...new Set([...entry.names, name])].sort() } : entry,
    );
    await this.save(list);
    this.catalog.forget(host);
  }

  async removeName(host: string, name: string): Promise<void> {
    const list = this.list().map((entry) =>
      entry.host === host ? { host, names: entry.names.filter((other) => other !== name) } : entry,
    );
    await this.save(list);
    this.catalog.forget(host);
  }

  /** Keeps the login once the registry has accepted it. Throws EngineError (unauthorized) when it does not. */
  async signIn(host: string, account: Account, signal?: AbortSignal): Promise<void> {
    await this.check(host, account, signal);
    await this.keep(host, account);
    this.changed(host);
  }

  async signOut(host: string): Promise<void> {
    await this.parts.secrets.delete(secretKey(host));
    this.changed(host);
  }

  /** A secret of the editor is another one: of a registry where another window has signed in or out. What this window has done it knows. */
  async secretChanged(key: string): Promise<void> {
    const entry = this.list().find(({ host }) => secretKey(host) === key);
    if (entry === undefined) return;
    const { host } = entry;
    const used = await this.clients.get(host)?.catch(() => undefined);
    const account = await this.account(host).catch(() => undefined);
    const isKnown =
      used !== undefined &&
      used.account?.username === account?.username &&
      used.account?.secret === account?.secret;
    if (!isKnown) this.changed(host);
  }

  /** Whether docker's logins are used where the editor has none. */
  get usesDocker(): boolean {
    return this.parts.memory.get(CONSENT) === true;
  }

  async useDocker(uses: boolean): Promise<void> {
    await this.parts.memory.set(CONSENT, uses);
    for (const { host } of this.list()) this.forget(host);
    this.listeners.call(undefined);
  }

  /** Of the secret store, else of docker where the user allowed it. Throws EngineError when docker's cannot be read. */
  async account(host: string): Promise<SignedIn | undefined> {
    const own = accountOf(await this.parts.secrets.get(secretKey(host)));
    if (own !== undefined) return { ...own, from: 'editor' };
    if (!this.usesDocker) return undefined;
    const docker = await dockerLogin(host, { env: this.parts.env });
    return docker === undefined ? undefined : { ...docker, from: 'docker' };
  }

  async authFor(reference: string): Promise<AuthConfig | undefined> {
    const { domain } = parseReference(reference);
    const account = await this.account(domain);
    if (account === undefined) return undefined;
    const serveraddress = domain === DOCKER_HUB ? 'https://index.docker.io/v1/' : domain;
    const { username, secret, identity } = account;
    if (identity === true) return { identitytoken: secret, serveraddress };
    return { username, password: secret, serveraddress };
  }

  async browser(host: string): Promise<RegistryBrowser> {
    return (await this.client(host)).browser;
  }

  async hub(): Promise<Hub> {
    return (await this.client(DOCKER_HUB)).hub;
  }

  /** Forgets what was read of a registry or a repository, so that it is asked anew. */
  look(host: string, repository?: string): void {
    this.catalog.forget(host, repository);
    this.looks.call({ host, repository });
  }

  /** Reads the next page. Throws EngineError. */
  async more(host: string, repository?: string): Promise<void> {
    await this.catalog.more(host, repository);
    this.looks.call({ host, repository });
  }

  /** What a registry or a repository holds is to be shown anew. */
  onDidLook(listener: (look: Look) => void): Listener {
    return this.looks.add(listener);
  }

  /** The login of a registry has changed, or without one the list. */
  onDidChange(listener: (host: string | undefined) => void): Listener {
    return this.listeners.add(listener);
  }

  private async check(
    host: string,
    account: Account | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { browser } = clientOf(host, account, this.parts.fetch);
    await browser.check(signal);
  }

  private async keep(host: string, { username, secret, identity }: Account): Promise<void> {
    const value = { username, secret, ...(identity === undefined ? {} : { identity }) };
    await this.parts.secrets.store(secretKey(host), JSON.stringify(value));
  }

  private async save(list: readonly KnownRegistry[]): Promise<void> {
    await this.parts.memory.set(LIST, list);
    this.listeners.call(undefined);
  }

  private changed(host: string): void {
    this.forget(host);
    this.listeners.call(host);
  }

  private forget(host: string): void {
    this.clients.delete(host);
    this.catalog.forget(host);
  }

  private client(host: string): Promise<Client> {
    const held = this.clients.get(host);
    if (held !== undefined) return held;
    const made = this.account(host).then((account) => clientOf(host, account, this.parts.fetch));
    this.clients.set(host, made);
    made.catch(() => this.clients.delete(host));
    return made;
  }
}

interface Client {
  readonly account: Account | undefined;
  readonly browser: RegistryBrowser;
  readonly hub: Hub;
}

function clientOf(
  host: string,
  account: Account | undefined,
  fetcher: typeof fetch | undefined,
): Client {
  const options = { login: account, ...(fetcher === undefined ? {} : { fetch: fetcher }) };
  return { account, browser: new RegistryBrowser(host, options), hub: new Hub(options) };
}

function secretKey(host: string): string {
  return `pinnace.registry.${host}`;
}

function accountOf(text: string | undefined): Account | undefined {
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined; // The text is a secret: it goes into no message.
  }
  if (!isRecord(value)) return undefined;
  const { username, secret, identity } = value;
  if (typeof username !== 'string' || typeof secret !== 'string') return undefined;
  return { username, secret, ...(identity === true ? { identity } : {}) };
}
