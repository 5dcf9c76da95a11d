/** Turns the API's limits into `linux.resources` of the runtime-spec. Pure; what the host cannot enforce the helper leaves out. */

import type { DeviceMapping, ResourceLimits, ThrottleDevice } from '../../lib/api/containers.ts';
import { EngineError } from '../../lib/errors.ts';

export interface DeviceRule {
  allow: boolean;
  type?: string;
  major?: number;
  minor?: number;
  access: string;
}

/** The rules every container starts with: making nodes, the pseudo devices, terminals; nothing else. */
const DEFAULT_RULES: readonly DeviceRule[] = [
  { allow: false, access: 'rwm' },
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  ...(
    [
      [1, 3],
      [1, 5],
      [1, 7],
      [1, 8],
      [1, 9],
      [5, 0],
      [5, 1],
      [5, 2],
    ] as const
  ).map(([major, minor]): DeviceRule => ({ allow: true, type: 'c', major, minor, access: 'rwm' })),
  { allow: true, type: 'c', major: 136, access: 'rwm' },
];

/** A device node of the host that the container gets. */
export interface DeviceNode {
  readonly path: string;
  readonly hostPath: string;
  readonly type: 'c' | 'b';
  readonly major: number;
  readonly minor: number;
  readonly fileMode: number;
  readonly uid: number;
  readonly gid: number;
  readonly access: string;
}

/** major:minor of the block devices that throttles name, resolved by the caller. */
export type DeviceNumbers = ReadonlyMap<string, { readonly major: number; readonly minor: number }>;

export interface ResourceInput {
  readonly limits: ResourceLimits;
  readonly privileged: boolean;
  readonly devices: readonly DeviceNode[];
  readonly numbers: DeviceNumbers;
}

/** The whole `linux.resources` for a new container. */
export function buildResources(input: ResourceInput): Record<string, unknown> {
  const rules: DeviceRule[] = input.privileged
    ? [{ allow: true, access: 'rwm' }]
    : [...DEFAULT_RULES];
  if (!input.privileged) {
    for (const node of input.devices) {
      rules.push({
        allow: true,
        type: node.type,
        major: node.major,
        minor: node.minor,
        access: node.access,
      });
    }
    for (const rule of input.limits.DeviceCgroupRules ?? []) rules.push(parseDeviceRule(rule));
  }
  return { devices: rules, ...limitResources(input.limits, input.numbers) };
}

/** Only the members of `linux.resources` that the limits set; what `update` sends. */
export function limitResources(
  limits: ResourceLimits,
  numbers: DeviceNumbers,
): Record<string, unknown> {
  const memory = memoryResources(limits);
  const cpu = cpuResources(limits);
  const block = blockResources(limits, numbers);
  return {
    ...(memory === undefined ? {} : { memory }),
    ...(cpu === undefined ? {} : { cpu }),
    ...(typeof limits.PidsLimit === 'number' && limits.PidsLimit !== 0
      ? { pids: { limit: limits.PidsLimit < 0 ? -1 : limits.PidsLimit } }
      : {}),
    ...(block === undefined ? {} : { blockIO: block }),
  };
}

/** Docker gives a container as much swap as memory when only the memory is limited. */
function memoryResources(limits: ResourceLimits): object | undefined {
  const memory = limits.Memory ?? 0;
  const swap = limits.MemorySwap ?? 0;
  const result: Record<string, unknown> = {};
  if (memory > 0) {
    result['limit'] = memory;
    result['swap'] = swap === 0 ? memory * 2 : swap;
  } else if (swap !== 0) result['swap'] = swap;
  if ((limits.MemoryReservation ?? 0) > 0) result['reservation'] = limits.MemoryReservation;
  const swappiness = limits.MemorySwappiness;
  if (typeof swappiness === 'number' && swappiness >= 0) result['swappiness'] = swappiness;
  if (limits.OomKillDisable === true) result['disableOOMKiller'] = true;
  return some(result);
}

function cpuResources(limits: ResourceLimits): object | undefined {
  const result: Record<string, unknown> = {};
  if ((limits.CpuShares ?? 0) > 0) result['shares'] = limits.CpuShares;
  if ((limits.NanoCpus ?? 0) > 0) {
    result['period'] = 100_000;
    result['quota'] = Math.round((limits.NanoCpus ?? 0) / 10_000);
  }
  if ((limits.CpuPeriod ?? 0) > 0) result['period'] = limits.CpuPeriod;
  if ((limits.CpuQuota ?? 0) !== 0) result['quota'] = limits.CpuQuota;
  if ((limits.CpuRealtimePeriod ?? 0) > 0) result['realtimePeriod'] = limits.CpuRealtimePeriod;
  if ((limits.CpuRealtimeRuntime ?? 0) > 0) result['realtimeRuntime'] = limits.CpuRealtimeRuntime;
  if ((limits.CpusetCpus ?? '') !== '') result['cpus'] = limits.CpusetCpus;
  if ((limits.CpusetMems ?? '') !== '') result['mems'] = limits.CpusetMems;
  return some(result);
}

function blockResources(limits: ResourceLimits, numbers: DeviceNumbers): object | undefined {
  const result: Record<string, unknown> = {};
  if ((limits.BlkioWeight ?? 0) > 0) result['weight'] = limits.BlkioWeight;
  const throttle = (member: string, devices: ThrottleDevice[] | null | undefined) => {
    if (devices == null || devices.length === 0) return;
    result[member] = devices.map((device) => {
      const at = numbers.get(device.Path);
      if (at === undefined) throw new EngineError('invalid', `no block device at ${device.Path}`);
      return { major: at.major, minor: at.minor, rate: device.Rate };
    });
  };
  throttle('throttleReadBpsDevice', limits.BlkioDeviceReadBps);
  throttle('throttleWriteBpsDevice', limits.BlkioDeviceWriteBps);
  throttle('throttleReadIOPSDevice', limits.BlkioDeviceReadIOps);
  throttle('throttleWriteIOPSDevice', limits.BlkioDeviceWriteIOps);
  return some(result);
}

function some(value: Record<string, unknown>): object | undefined {
  return Object.keys(value).length === 0 ? undefined : value;
}

/** `c 10:200 rwm`, with `*` for any number. Throws `invalid`. */
export function parseDeviceRule(text: string): DeviceRule {
  const match = /^([acb]) ([0-9]+|\*):([0-9]+|\*) ([rwm]{1,3})$/.exec(text);
  const [, type, major, minor, access] = match ?? [];
  if (type === undefined || access === undefined) {
    throw new EngineError('invalid', `invalid device cgroup rule format: '${text}'`);
  }
  return {
    allow: true,
    type,
    ...(major === undefined || major === '*' ? {} : { major: Number(major) }),
    ...(minor === undefined || minor === '*' ? {} : { minor: Number(minor) }),
    access,
  };
}

/** `/dev/x`, `/dev/x:/dev/y`, with permissions checked. Throws `invalid`. */
export function checkDeviceMapping(device: DeviceMapping): Required<DeviceMapping> {
  const access =
    device.CgroupPermissions === undefined || device.CgroupPermissions === ''
      ? 'rwm'
      : device.CgroupPermissions;
  if (!/^[rwm]{1,3}$/.test(access)) {
    throw new EngineError(
      'invalid',
      `HostConfig.Devices: invalid cgroup permissions "${access}" for ${device.PathOnHost}`,
    );
  }
  const inside =
    device.PathInContainer === undefined || device.PathInContainer === ''
      ? device.PathOnHost
      : device.PathInContainer;
  return { PathOnHost: device.PathOnHost, PathInContainer: inside, CgroupPermissions: access };
}
