/** Who the user is at a registry: what pulls and pushes ask before they call the engine. Shapes only; no store, no editor. */
import type { AuthConfig } from '../../lib/api/system.ts';
import type { Registries } from './registries.ts';

export interface CredentialSource {
  /**
   * What an engine is given to pull or push `reference` (`localhost:5000/a/b:tag`, `busybox`); undefined where nobody
   * is signed in: the registry is then asked as anybody. Throws EngineError (invalid) for a name that is none.
   */
  authFor(reference: string): Promise<AuthConfig | undefined>;
  /** All that is known of registries; undefined until their area is plugged in. */
  readonly registries?: Registries | undefined;
}

/** An account at one registry. */
export interface Account {
  /** Empty for a bare identity token. */
  readonly username: string;
  /** A password or an access token. */
  readonly secret: string;
  /** The secret is an OAuth2 refresh token, as docker's helpers keep for the user `<token>`. */
  readonly identity?: boolean;
}
