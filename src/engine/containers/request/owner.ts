/** Who a bind-mounted folder belongs to inside: reads `HostConfig.PinnaceOwner`, and makes the maps in which two ids change places. Pure. */

import type { HostConfig } from '../../../lib/api/containers.ts';
import { EngineError } from '../../../lib/errors.ts';
import type { IdMapping, Mode } from '../../runtime/types.ts';

/** Ids of the container's user. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Ids that a system has; the last one means "none" (user_namespaces(7)). */
const ALL_IDS = 2 ** 32 - 1;

/** Throws invalid for what are no ids. */
export function ownerOf({ PinnaceOwner: owner }: HostConfig): Owner | undefined {
  if (owner === undefined || owner === null) return undefined;
  const { Uid, Gid } = owner as Partial<typeof owner>;
  return { uid: idOf('Uid', Uid), gid: idOf('Gid', Gid) };
}

function idOf(name: string, value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < ALL_IDS)
    return value;
  throw new EngineError(
    'invalid',
    `HostConfig.PinnaceOwner.${name} must be an id from 0 to ${String(ALL_IDS - 1)}`,
  );
}

/** Maps `size` ids to themselves, but for two that change places. */
export function exchanged(one: number, other: number, size: number = ALL_IDS): IdMapping[] {
  const low = Math.min(one, other);
  const high = Math.max(one, other);
  const pieces =
    low === high
      ? [[0, 0, size]]
      : [
          [0, 0, low],
          [low, high, 1],
          [low + 1, low + 1, high - low - 1],
          [high, low, 1],
          [high + 1, high + 1, size - high - 1],
        ];
  return pieces.flatMap(([containerID = 0, hostID = 0, count = 0]) =>
    count > 0 ? [{ containerID, hostID, size: count }] : [],
  );
}

/**
 * The ids that change places with root's in a container's own user namespace: in the rootless mode the person is this
 * engine's root, so the container's user must be that one. Undefined where nothing has to change.
 */
export function shiftOf(host: HostConfig, mode: Mode): Owner | undefined {
  const owner = mode === 'rootless' ? ownerOf(host) : undefined;
  return owner === undefined || (owner.uid === 0 && owner.gid === 0) ? undefined : owner;
}
