/** Owns `docker login`: asks the registry whether it takes the credentials. It keeps none. */

import { EngineError, kindOf } from '../../lib/errors.ts';
import type { AuthAnswer, AuthConfig } from '../../lib/api/system.ts';
import { DEFAULT_DOMAIN } from '../../lib/image/reference.ts';
import type { RegistryConfig } from '../../lib/image/registry-config.ts';
import { endpointsOf } from '../images/endpoints.ts';
import { DEFAULT_LIMITS, Transport } from '../images/transport.ts';

const MAX_BODY = 64 * 1024;

/** Throws unauthorized when the registry refuses, unavailable when it cannot be asked. */
export async function login(
  credentials: AuthConfig,
  config: RegistryConfig,
  signal: AbortSignal,
): Promise<AuthAnswer> {
  const domain = domainOf(credentials.serveraddress ?? '');
  const endpoints = endpointsOf(domain, config).filter((endpoint) => !endpoint.mirror);
  let failure: unknown = new EngineError(
    'unavailable',
    `no place to ask is known for the registry ${domain}`,
  );
  for (const endpoint of endpoints) {
    const transport = new Transport(credentials, DEFAULT_LIMITS);
    try {
      const answer = await transport.get({
        endpoint,
        url: `${endpoint.base}/v2/`,
        scope: '',
        signal,
      });
      await transport.body(answer, MAX_BODY, `the answer of ${domain}`);
      return { Status: 'Login Succeeded', IdentityToken: '' };
    } catch (error) {
      failure = error;
      if (kindOf(error) !== 'unavailable') break;
    } finally {
      await transport.close();
    }
  }
  throw failure;
}

/** The registry of `https://index.docker.io/v1/` (Docker Hub's name in old clients), `https://host:5000/v2/` or `host`. */
function domainOf(address: string): string {
  const host = address.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  if (host === '' || host === 'index.docker.io' || host === 'registry-1.docker.io')
    return DEFAULT_DOMAIN;
  if (!/^(\[[0-9a-fA-F:]+\]|[a-zA-Z0-9.-]+)(:\d{1,5})?$/.test(host)) {
    throw new EngineError(
      'invalid',
      `serveraddress: ${host.slice(0, 100)} is not the name of a registry`,
    );
  }
  return host;
}
