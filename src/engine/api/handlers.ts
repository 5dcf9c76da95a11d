/** Joins the routes of all resources into the one table of handlers. It compiles only when every built route has one. */

import type { Handlers } from './exchange.ts';
import { archiveRoutes } from './routes/archive.ts';
import type { ArchiveService } from './routes/archive.ts';
import { buildRoutes } from './routes/build.ts';
import type { BuildService } from './routes/build.ts';
import { buildRecordRoutes } from './routes/builds.ts';
import type { BuildRecordService } from './routes/builds.ts';
import { commitRoutes } from './routes/commit.ts';
import type { CommitService } from './routes/commit.ts';
import { containerRoutes } from './routes/containers.ts';
import type { ContainerService } from './routes/containers.ts';
import { fileRoutes } from './routes/files.ts';
import type { FileService } from './routes/files.ts';
import { imageRoutes } from './routes/images.ts';
import type { ImageService } from './routes/images.ts';
import { networkRoutes } from './routes/networks.ts';
import type { NetworkService } from './routes/networks.ts';
import { pinnaceRoutes } from './routes/pinnace.ts';
import type { ContainerPorts, EngineControl } from './routes/pinnace.ts';
import { registryRoutes } from './routes/registry.ts';
import type { RegistryService } from './routes/registry.ts';
import { streamRoutes } from './routes/streams.ts';
import type { StreamService } from './routes/streams.ts';
import { systemRoutes } from './routes/system.ts';
import type { EventSource, SystemService } from './routes/system.ts';
import { volumeRoutes } from './routes/volumes.ts';
import type { VolumeService } from './routes/volumes.ts';

/** What the API as a whole calls. */
export interface ApiServices {
  readonly containers: ContainerService &
    StreamService &
    ArchiveService &
    ContainerPorts &
    CommitService;
  readonly images: ImageService & RegistryService;
  readonly builder: BuildService & BuildRecordService;
  readonly files: FileService;
  readonly volumes: VolumeService;
  readonly networks: NetworkService;
  readonly system: SystemService;
  readonly events: EventSource;
  readonly engine: EngineControl;
}

export function createHandlers(services: ApiServices): Handlers {
  return {
    ...containerRoutes(services.containers),
    ...streamRoutes(services.containers),
    ...archiveRoutes(services.containers),
    ...commitRoutes(services.containers),
    ...imageRoutes(services.images),
    ...registryRoutes(services.images),
    ...buildRoutes(services.builder),
    ...buildRecordRoutes(services.builder),
    ...fileRoutes(services.files),
    ...volumeRoutes(services.volumes),
    ...networkRoutes(services.networks),
    ...systemRoutes(services.system, services.events),
    ...pinnaceRoutes(services.engine, services.containers),
  };
}
