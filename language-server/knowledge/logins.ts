/** Where the user's logins at registries come from: the client, where it says that it keeps them; else docker's own. */
import type { ClientCapabilities } from 'vscode-languageserver/node';
import { dockerLogin } from '../../src/client/registry/docker-config.ts';
import type { RegistryLogin } from '../../src/client/registry/session.ts';
import { EngineError } from '../../src/lib/errors.ts';
import { isRecord } from '../../src/lib/record.ts';

/** The user's login at a registry (`docker.io`, `ghcr.io`); undefined where there is none. Throws EngineError. */
export type LoginSource = (host: string) => Promise<RegistryLogin | undefined>;

/** Asks the client: `{ host }` → `{ username, secret, identity? }` or null. Its capability is `experimental.registryLogins`. */
const REGISTRY_LOGIN = 'pinnace/registryLogin';

/** Milliseconds: the registry is still waited for when a helper that hangs is given up. */
const HELPER_LIMIT = 5000;

export interface LoginAsker {
  readonly capabilities: () => ClientCapabilities;
  readonly sendRequest: (method: string, params: object) => Promise<unknown>;
}

export function loginsBy({ capabilities, sendRequest }: LoginAsker): LoginSource {
  return async (host) => {
    const experimental: unknown = capabilities().experimental;
    const keepsThem = isRecord(experimental) && experimental['registryLogins'] === true;
    if (!keepsThem) return loginOfDocker(host);
    let given: unknown;
    try {
      given = await sendRequest(REGISTRY_LOGIN, { host });
    } catch (cause) {
      throw new EngineError('unavailable', `the editor does not tell its login for ${host}`, {
        cause,
      });
    }
    return loginIn(given);
  };
}

export function loginOfDocker(host: string): Promise<RegistryLogin | undefined> {
  return dockerLogin(host, { env: process.env, signal: AbortSignal.timeout(HELPER_LIMIT) });
}

function loginIn(given: unknown): RegistryLogin | undefined {
  if (!isRecord(given)) return undefined;
  const { username, secret, identity } = given;
  if (typeof username !== 'string' || typeof secret !== 'string' || secret === '') return undefined;
  return { username, secret, identity: identity === true };
}
