/** The typed client of an engine (ours, Docker or Podman): one object with a part for each resource. */

import { compareVersions, MIN_API_VERSION } from '../../lib/api/versions.ts';
import { EngineError } from '../../lib/errors.ts';
import { ContainersApi } from './containers.ts';
import { ImagesApi } from './images.ts';
import { NetworksApi } from './networks.ts';
import { SystemApi, VolumesApi } from './system.ts';
import { Transport } from './transport.ts';
import type { Address } from './transport.ts';

export interface Client {
  readonly transport: Transport;
  readonly system: SystemApi;
  readonly containers: ContainersApi;
  /** Images and the builder. */
  readonly images: ImagesApi;
  readonly volumes: VolumesApi;
  readonly networks: NetworksApi;
  /** Asks the engine for its newest API version and speaks that where it is older than ours. */
  negotiate(signal?: AbortSignal): Promise<void>;
  close(): void;
}

/** A client of the engine at `address`; nothing is sent before the first call. */
export function createClient(address: Address): Client {
  const transport = new Transport(address);
  const system = new SystemApi(transport);
  return {
    transport,
    system,
    containers: new ContainersApi(transport),
    images: new ImagesApi(transport),
    volumes: new VolumesApi(transport),
    networks: new NetworksApi(transport),
    async negotiate(signal) {
      const { apiVersion } = await system.ping(signal === undefined ? {} : { signal });
      if (apiVersion === '' || compareVersions(apiVersion, transport.version) >= 0) return;
      if (compareVersions(apiVersion, MIN_API_VERSION) < 0) {
        throw new EngineError(
          'unavailable',
          `the engine speaks API ${apiVersion} at most; ${MIN_API_VERSION} is needed`,
        );
      }
      transport.version = apiVersion;
    },
    close: () => transport.close(),
  };
}
