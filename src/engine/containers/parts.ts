/** What the containers are made of: the other areas' interfaces, passed in by the composition root. */

import { join } from 'node:path';
import type { EventBus } from '../events/types.ts';
import type { ImageStore } from '../images/types.ts';
import type { Networks, Sandboxes } from '../network/types.ts';
import type { Probe } from '../runtime/probe.ts';
import type { SpecHost } from '../runtime/spec.ts';
import type { Native, Runtime } from '../runtime/types.ts';
import type { Database, Places, SnapshotStore } from '../storage/types.ts';
import type { VolumeStore } from '../volumes/volumes.ts';
import type { Container } from './container.ts';

export interface ContainersParts {
  readonly database: Database;
  readonly places: Places;
  readonly images: ImageStore;
  readonly snapshots: Pick<
    SnapshotStore,
    'lowers' | 'prepareOwned' | 'draft' | 'commit' | 'discard' | 'lease'
  >;
  readonly runtime: Runtime;
  readonly native: Native;
  readonly networks: Networks;
  readonly sandboxes: Sandboxes;
  /** Whether containers may reach the host's loopback through their gateway when their network does not say. */
  readonly hostLoopback: boolean;
  readonly volumes: VolumeStore;
  readonly events: EventBus;
  readonly probe: Probe;
  /** What the machine is for a configuration, looked up once an engine. */
  readonly host: SpecHost;
  readonly clock: () => Date;
  /** What went wrong where nobody waits for an answer. */
  readonly warn: (message: string) => void;
}

/** Where one container's files lie. */
export interface ContainerPlaces {
  readonly dir: string;
  readonly upper: string;
  readonly work: string;
  readonly hosts: string;
  readonly hostname: string;
  readonly resolvConf: string;
  readonly log: string;
  readonly exitFile: string;
  /** The shim's, below the run root; short, for unix socket paths are. */
  readonly shim: string;
}

export function placesOf(places: Places, id: string): ContainerPlaces {
  const dir = join(places.containersDir, id);
  return {
    dir,
    upper: join(dir, 'upper'),
    work: join(dir, 'work'),
    hosts: join(dir, 'hosts'),
    hostname: join(dir, 'hostname'),
    resolvConf: join(dir, 'resolv.conf'),
    log: join(dir, `${id}-json.log`),
    exitFile: join(dir, 'exit.json'),
    shim: join(places.shimsDir, id.slice(0, 16)),
  };
}

/** Announces what happened to a container, with Docker's attributes: image, name and labels. */
export function announce(
  events: EventBus,
  container: Container,
  action: string,
  more: Record<string, string> = {},
): void {
  const { config, imageName, id } = container.definition;
  events.emit('container', action, {
    ID: id,
    Attributes: { ...config.Labels, image: imageName, name: container.name, ...more },
  });
}
