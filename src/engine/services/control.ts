/** What the API calls for Pinnace's own routes: what this engine is, and its end. */

import type { PinnaceInfo } from '../../lib/api/system.ts';
import { VERSION } from '../../lib/version.ts';
import type { EngineControl } from '../api/routes/pinnace.ts';
import type { Containers } from '../containers/types.ts';
import type { ImageStore } from '../images/types.ts';
import type { Probe } from '../runtime/probe.ts';
import type { Mode } from '../runtime/types.ts';
import type { Places } from '../storage/types.ts';

export interface ControlParts {
  readonly places: Places;
  readonly socket: string;
  readonly mode: Mode;
  readonly probe: Probe;
  readonly startedAt: Date;
  /** Seconds; 0: never. */
  readonly idleExit: number;
  readonly containers: Pick<Containers, 'list'>;
  readonly images: Pick<ImageStore, 'list'>;
  readonly shutdown: () => void;
}

export function createControl(parts: ControlParts): EngineControl {
  const { places, idleExit } = parts;
  return {
    async describe(): Promise<PinnaceInfo> {
      const containers = await parts.containers.list({
        all: true,
        limit: 0,
        size: false,
        filters: {},
      });
      return {
        version: VERSION,
        pid: process.pid,
        mode: parts.mode,
        dataRoot: places.dataRoot,
        runRoot: places.runRoot,
        socket: parts.socket,
        startedAt: parts.startedAt.toISOString(),
        node: process.versions.node,
        idleExit: idleExit === 0 ? null : idleExit,
        containers: {
          total: containers.length,
          running: containers.filter(({ State }) => State === 'running' || State === 'paused')
            .length,
        },
        images: parts.images.list().length,
        probe: parts.probe,
      };
    },
    shutdown: parts.shutdown,
  };
}

/** Names of the volumes that some container mounts. */
export async function volumesInUse(
  containers: Pick<Containers, 'list'>,
): Promise<ReadonlySet<string>> {
  const list = await containers.list({ all: true, limit: 0, size: false, filters: {} });
  const names = list.flatMap(({ Mounts }) =>
    Mounts.map(({ Type, Name }) => (Type === 'volume' ? Name : undefined)),
  );
  return new Set(names.filter((name) => name !== undefined));
}
