/**
 * Asks registries as the user would: with the user's login, by the certificates kept for them, at the places that the
 * engine's settings name. What it learns of these it keeps for two minutes; secrets leave it towards their registry alone.
 */
import { type Certificates, certificatesFor } from '../../src/client/registry/certificates.ts';
import { NO_PLACES, type Place, type Places, placesOf } from '../../src/client/registry/places.ts';
import type { RegistryLogin, RegistryOptions } from '../../src/client/registry/session.ts';
import { fetchTrusting } from '../../src/client/registry/tls-fetch.ts';
import { kindOf } from '../../src/lib/errors.ts';

export interface RegistrySources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's login at a registry, asked once the registry wants one. Throws EngineError. */
  readonly login: (host: string) => Promise<RegistryLogin | undefined>;
  /** The settings of the engine. Throws EngineError. */
  readonly places: () => Promise<Places>;
  /** Takes what went wrong with logins, certificates and settings; the registry is asked without them. */
  readonly failed: (error: unknown) => void;
  readonly clock?: () => number;
}

type Ask<T> = (options: RegistryOptions) => Promise<T>;

/** Milliseconds for which logins, certificates and settings are not looked for again. */
const KEPT = 120_000;
/** Milliseconds: behind a mirror stands the registry itself. */
const MIRROR_LIMIT = 3000;
const NO_CERTIFICATES: Certificates = { authorities: [], client: undefined };

export class Registries {
  private readonly sources: RegistrySources;
  private readonly logins: Kept<RegistryLogin | undefined>;
  private readonly fetches: Kept<typeof fetch>;
  private readonly settings: Kept<Places>;
  private readonly tokens: Kept<Map<string, string>>;

  constructor(sources: RegistrySources) {
    this.sources = sources;
    const clock = sources.clock ?? Date.now;
    this.logins = new Kept(KEPT, clock);
    this.fetches = new Kept(KEPT, clock);
    this.settings = new Kept(KEPT, clock);
    this.tokens = new Kept(KEPT, clock);
  }

  /** The first answer of a registry's places, or the last error of the registry itself. */
  async ask<T>(domain: string, call: Ask<T>): Promise<T> {
    return this.askAll(domain, placesOf(domain, await this.places()), call);
  }

  /** As `ask`, for what mirrors do not know. */
  async askItself<T>(domain: string, call: Ask<T>): Promise<T> {
    const places = placesOf(domain, await this.places());
    return this.askAll(
      domain,
      places.filter(({ mirror }) => !mirror),
      call,
    );
  }

  /** Forgets logins, certificates, settings and tokens. */
  clear(): void {
    for (const kept of [this.logins, this.fetches, this.settings, this.tokens]) kept.clear();
  }

  private async askAll<T>(domain: string, places: readonly Place[], call: Ask<T>): Promise<T> {
    let failure: unknown;
    for (const place of places) {
      try {
        return await this.askAt(domain, place, call);
      } catch (error) {
        // One of an insecure registry's two doors is closed as a rule: what the open one says counts.
        if (failure === undefined || place.mirror || kindOf(error) !== 'unavailable')
          failure = error;
        if (!place.mirror && kindOf(error) !== 'unavailable') break;
      }
    }
    throw failure;
  }

  /** A login that the registry refuses does not take away what everybody may see. */
  private async askAt<T>(domain: string, place: Place, call: Ask<T>): Promise<T> {
    const asked = { hasLogin: false };
    const askLogin = async (): Promise<RegistryLogin | undefined> => {
      const login = place.mirror ? undefined : await this.login(domain);
      asked.hasLogin = login !== undefined;
      return login;
    };
    const options = await this.optionsFor(domain, place);
    try {
      return await call({ ...options, askLogin });
    } catch (error) {
      if (!asked.hasLogin || kindOf(error) !== 'unauthorized') throw error;
      const signal = AbortSignal.timeout(MIRROR_LIMIT);
      const found = await call({ ...options, tokens: new Map(), signal }).catch(() => {
        throw error;
      });
      this.sources.failed(error);
      return found;
    }
  }

  private async optionsFor(domain: string, place: Place): Promise<RegistryOptions> {
    const { base, mirror, insecure } = place;
    const host = hostOf(domain, base);
    const own = `${host} ${String(insecure)}`;
    return {
      fetch: await this.fetches.get(own, () => this.fetchFor(host, insecure)),
      tokens: await this.tokens.get(`${domain} ${base ?? ''}`, () =>
        Promise.resolve(new Map<string, string>()),
      ),
      base,
      ...(mirror ? { signal: AbortSignal.timeout(MIRROR_LIMIT) } : {}),
    };
  }

  private async fetchFor(host: string, insecure: boolean): Promise<typeof fetch> {
    const found = certificatesFor(host, this.sources.env);
    const certificates = await this.otherwise(found, NO_CERTIFICATES);
    return fetchTrusting({ host, certificates, insecure, env: this.sources.env });
  }

  /** Also what a failed asking gave is kept: a helper that cannot run is not started again and again. */
  private login(domain: string): Promise<RegistryLogin | undefined> {
    return this.logins.get(domain, () => this.otherwise(this.sources.login(domain), undefined));
  }

  private places(): Promise<Places> {
    return this.settings.get('', () => this.otherwise(this.sources.places(), NO_PLACES));
  }

  private async otherwise<T>(asked: Promise<T>, value: T): Promise<T> {
    try {
      return await asked;
    } catch (error) {
      this.sources.failed(error);
      return value;
    }
  }
}

function hostOf(domain: string, base: string | undefined): string {
  if (base !== undefined) return new URL(base).host;
  return domain === 'docker.io' ? 'registry-1.docker.io' : domain;
}

/** More are forgotten, the oldest first. */
const LIMIT = 100;

/** Values that are asked for once in a while. */
class Kept<T> {
  private readonly entries = new Map<
    string,
    { readonly value: Promise<T>; readonly end: number }
  >();
  private readonly limit: number;
  private readonly clock: () => number;

  constructor(limit: number, clock: () => number) {
    this.limit = limit;
    this.clock = clock;
  }

  get(key: string, load: () => Promise<T>): Promise<T> {
    const held = this.entries.get(key);
    if (held !== undefined && this.clock() < held.end) return held.value;
    this.entries.delete(key);
    const value = load();
    this.entries.set(key, { value, end: this.clock() + this.limit });
    for (const oldest of this.entries.keys()) {
      if (this.entries.size <= LIMIT) break;
      this.entries.delete(oldest);
    }
    return value;
  }

  clear(): void {
    this.entries.clear();
  }
}
