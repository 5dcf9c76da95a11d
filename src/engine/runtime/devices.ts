/** Looks at the host's device nodes for containers that ask for them. Reads only; the pure spec takes what it returns. */

import { readdir, stat } from 'node:fs/promises';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DeviceMapping, ResourceLimits } from '../../lib/api/containers.ts';
import { EngineError } from '../../lib/errors.ts';
import { checkDeviceMapping } from './resources.ts';
import type { DeviceNode, DeviceNumbers } from './resources.ts';

/** Directories below /dev that hold no devices of their own, or the container's own instances. */
const SKIPPED = new Set(['pts', 'shm', 'fd', 'mqueue', 'console', '.lxc', '.lxd-mounts', '.udev']);

/** One device, or every device below a directory. Throws `invalid` when there is none. */
export async function hostDevices(mapping: DeviceMapping): Promise<DeviceNode[]> {
  const {
    PathOnHost: host,
    PathInContainer: inside,
    CgroupPermissions: access,
  } = checkDeviceMapping(mapping);
  const facts = await stat(host).catch(() => undefined);
  if (facts === undefined) {
    throw new EngineError(
      'invalid',
      `error gathering device information while adding custom device "${host}": no such file or directory`,
    );
  }
  if (facts.isDirectory()) {
    const found = await walk(host);
    return found.map((node) => ({
      ...node,
      path: join(inside, node.hostPath.slice(host.length)),
      access,
    }));
  }
  const node = toNode(host, facts);
  if (node === undefined) {
    throw new EngineError(
      'invalid',
      `error gathering device information while adding custom device "${host}": not a device node`,
    );
  }
  return [{ ...node, path: inside, access }];
}

/** Everything in /dev, for privileged containers. */
export function allDevices(): Promise<DeviceNode[]> {
  return walk('/dev');
}

async function walk(dir: string): Promise<DeviceNode[]> {
  const nodes: DeviceNode[] = [];
  for (const entry of await readdir(dir, { withFileTypes: true }).catch(() => [])) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) {
      if (!SKIPPED.has(entry.name)) nodes.push(...(await walk(path)));
    } else if ((entry.isCharacterDevice() || entry.isBlockDevice()) && !SKIPPED.has(entry.name)) {
      const facts = await stat(path).catch(() => undefined);
      const node = facts === undefined ? undefined : toNode(path, facts);
      if (node !== undefined) nodes.push(node);
    }
  }
  return nodes;
}

interface Facts {
  isCharacterDevice(): boolean;
  isBlockDevice(): boolean;
  readonly rdev: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

function toNode(path: string, facts: Facts): DeviceNode | undefined {
  if (!facts.isCharacterDevice() && !facts.isBlockDevice()) return undefined;
  const { major, minor } = splitDevice(facts.rdev);
  return {
    path,
    hostPath: path,
    type: facts.isBlockDevice() ? 'b' : 'c',
    major,
    minor,
    fileMode: facts.mode & 0o7777,
    uid: facts.uid,
    gid: facts.gid,
    access: 'rwm',
  };
}

/** makedev(3)'s encoding, for device numbers below 2⁵³. */
export function splitDevice(rdev: number): { major: number; minor: number } {
  const value = BigInt(rdev);
  const major = ((value >> 8n) & 0xfffn) | ((value >> 32n) & 0xfffff000n);
  const minor = (value & 0xffn) | ((value >> 12n) & 0xffffff00n);
  return { major: Number(major), minor: Number(minor) };
}

/** The numbers of the block devices that the limits name. */
export async function throttledDevices(limits: ResourceLimits): Promise<DeviceNumbers> {
  const numbers = new Map<string, { major: number; minor: number }>();
  const lists = [
    limits.BlkioDeviceReadBps,
    limits.BlkioDeviceWriteBps,
    limits.BlkioDeviceReadIOps,
    limits.BlkioDeviceWriteIOps,
  ];
  for (const device of lists.flatMap((list) => list ?? [])) {
    const facts = await stat(device.Path).catch(() => undefined);
    if (facts?.isBlockDevice() === true) numbers.set(device.Path, splitDevice(facts.rdev));
  }
  return numbers;
}

/** Per-processor directories that would tell a container about the host's temperature; masked, as Docker does. */
export function thermalPaths(): string[] {
  const root = '/sys/devices/system/cpu';
  try {
    return readdirSync(root)
      .filter((name) => /^cpu[0-9]+$/.test(name))
      .map((name) => join(root, name, 'thermal_throttle'));
  } catch {
    return [];
  }
}
