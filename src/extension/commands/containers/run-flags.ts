/** The flags of `docker run` for networks, mounts, limits and rights, from what an engine says of a container. Pure; part of run-line.ts. */
import type {
  ContainerInspect,
  EndpointSettings,
  HostConfig,
  MountRequest,
  ThrottleDevice,
} from '../../../lib/api/containers.ts';
import type { RunConfig } from '../../../lib/image/config.ts';

/** A flag and its value, not quoted yet. */
export type Flag = readonly [string] | readonly [string, string];

const MIB = 1024 * 1024;
const DEFAULT_SHM = 64 * MIB;

export function networkFlags(container: ContainerInspect, base: RunConfig): Flag[] {
  const { Config: config, HostConfig: host } = container;
  const flags: Flag[] = [...portFlags(host), ...joinedNetworks(container)];
  if (host.PublishAllPorts === true) flags.push(['--publish-all']);
  for (const port of Object.keys(config.ExposedPorts ?? {})) {
    const known = base.ExposedPorts?.[port] ?? host.PortBindings?.[port];
    if (known === undefined) flags.push(['--expose', port.replace(/\/tcp$/, '')]);
  }
  if ((config.MacAddress ?? '') !== '') flags.push(['--mac-address', config.MacAddress ?? '']);
  flags.push(
    ...each(
      '--link',
      host.Links?.map((link) => linkText(link)),
    ),
    ...each('--dns', host.Dns),
    ...each('--dns-option', host.DnsOptions),
    ...each('--dns-search', host.DnsSearch),
    ...each('--add-host', host.ExtraHosts),
  );
  return flags;
}

function portFlags(host: HostConfig): Flag[] {
  return Object.entries(host.PortBindings ?? {}).flatMap(([port, bindings]) =>
    (bindings ?? []).map((binding): Flag => {
      const address = binding.HostIp ?? '';
      const inside = port.replace(/\/tcp$/, '');
      const outside = binding.HostPort ?? '';
      const left = address === '' ? '' : `${address.includes(':') ? `[${address}]` : address}:`;
      const random = outside === '' || outside === '0';
      if (random && left === '') return ['--publish', inside];
      return ['--publish', `${left}${random ? '' : outside}:${inside}`];
    }),
  );
}

/** `/db:/web/alias` of the engine is `db:alias` of the command line. */
function linkText(link: string): string {
  const [from = '', to = ''] = link.split(':');
  return `${from.replace(/^\//, '')}:${to.slice(to.lastIndexOf('/') + 1)}`;
}

function joinedNetworks({
  HostConfig: host,
  NetworkSettings: settings,
  Id,
}: ContainerInspect): Flag[] {
  const mode = host.NetworkMode ?? '';
  const first = ['', 'default', 'bridge'].includes(mode) ? undefined : mode;
  const alone = first !== undefined && /^(host|none|container:)/.test(first);
  const joined = alone ? [] : Object.entries(settings.Networks);
  const others = joined.filter(
    ([name]) => name !== first && (first !== undefined || name !== 'bridge'),
  );
  const flags: Flag[] = [];
  const own = joined.find(([name]) => name === first)?.[1];
  if (first !== undefined)
    flags.push([
      '--network',
      others.length > 0 || own === undefined ? longNetwork(first, own, Id) : first,
    ]);
  if (first !== undefined && others.length === 0 && own !== undefined)
    flags.push(...endpointFlags(own, Id));
  if (first === undefined && others.length > 0) flags.push(['--network', 'bridge']);
  for (const [name, endpoint] of others) flags.push(['--network', longNetwork(name, endpoint, Id)]);
  return flags;
}

function endpointFlags(endpoint: EndpointSettings, id: string): Flag[] {
  const { IPv4Address = '', IPv6Address = '' } = endpoint.IPAMConfig ?? {};
  return [
    ...(IPv4Address === '' ? [] : [['--ip', IPv4Address] as const]),
    ...(IPv6Address === '' ? [] : [['--ip6', IPv6Address] as const]),
    ...each('--network-alias', aliasesOf(endpoint, id)),
  ];
}

/** The long form, `name=…,alias=…,ip=…`: the only one where a container joins several networks. */
function longNetwork(name: string, endpoint: EndpointSettings | undefined, id: string): string {
  if (endpoint === undefined) return name;
  const { IPv4Address = '', IPv6Address = '' } = endpoint.IPAMConfig ?? {};
  const fields = [
    ...aliasesOf(endpoint, id).map((alias) => `alias=${alias}`),
    ...(IPv4Address === '' ? [] : [`ip=${IPv4Address}`]),
    ...(IPv6Address === '' ? [] : [`ip6=${IPv6Address}`]),
  ];
  return fields.length === 0 ? name : [`name=${name}`, ...fields].map(csvField).join(',');
}

/** Without the short id that engines add by themselves. */
function aliasesOf(endpoint: EndpointSettings, id: string): string[] {
  return (endpoint.Aliases ?? []).filter((alias) => alias !== id.slice(0, 12));
}

export function mountFlags(container: ContainerInspect, base: RunConfig): Flag[] {
  const { Config: config, HostConfig: host } = container;
  const anonymous = Object.keys(config.Volumes ?? {}).filter(
    (path) => base.Volumes?.[path] === undefined,
  );
  return [
    ...each('--volume', host.Binds),
    ...each('--mount', host.Mounts?.map(mountText)),
    ...each('--volume', anonymous),
    ...each('--volumes-from', host.VolumesFrom),
    ...each(
      '--tmpfs',
      Object.entries(host.Tmpfs ?? {}).map(([path, options]) =>
        options === '' ? path : `${path}:${options}`,
      ),
    ),
    ...text('--volume-driver', host.VolumeDriver),
    ...pairs('--storage-opt', host.StorageOpt),
  ];
}

function mountText(mount: MountRequest): string {
  const fields = [`type=${mount.Type}`];
  if ((mount.Source ?? '') !== '') fields.push(`source=${mount.Source ?? ''}`);
  fields.push(`target=${mount.Target}`);
  if (mount.ReadOnly === true) fields.push('readonly');
  const { BindOptions: bind, VolumeOptions: volume, TmpfsOptions: tmpfs } = mount;
  if ((bind?.Propagation ?? '') !== '') fields.push(`bind-propagation=${bind?.Propagation ?? ''}`);
  if (bind?.NonRecursive === true) fields.push('bind-recursive=disabled');
  if (volume?.NoCopy === true) fields.push('volume-nocopy');
  if ((volume?.Subpath ?? '') !== '') fields.push(`volume-subpath=${volume?.Subpath ?? ''}`);
  if ((volume?.DriverConfig?.Name ?? '') !== '')
    fields.push(`volume-driver=${volume?.DriverConfig?.Name ?? ''}`);
  for (const [name, value] of Object.entries(volume?.DriverConfig?.Options ?? {}))
    fields.push(`volume-opt=${name}=${value}`);
  for (const [name, value] of Object.entries(volume?.Labels ?? {}))
    fields.push(`volume-label=${name}=${value}`);
  if ((mount.ImageOptions?.Subpath ?? '') !== '')
    fields.push(`image-subpath=${mount.ImageOptions?.Subpath ?? ''}`);
  if ((tmpfs?.SizeBytes ?? 0) > 0) fields.push(`tmpfs-size=${String(tmpfs?.SizeBytes)}`);
  if ((tmpfs?.Mode ?? 0) > 0) fields.push(`tmpfs-mode=${(tmpfs?.Mode ?? 0).toString(8)}`);
  return fields.map(csvField).join(',');
}

/** RFC 4180: what holds a comma, a quote or a line break stands in quotes. */
function csvField(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

export function limitFlags(host: HostConfig): Flag[] {
  const swap = host.MemorySwap ?? 0;
  const memory = host.Memory ?? 0;
  return [
    ...number('--memory', memory),
    // Twice the memory is what engines set by themselves.
    ...(swap === 0 || swap === memory * 2 ? [] : [['--memory-swap', String(swap)] as const]),
    ...number('--memory-reservation', host.MemoryReservation),
    ...((host.MemorySwappiness ?? -1) >= 0
      ? [['--memory-swappiness', String(host.MemorySwappiness)] as const]
      : []),
    ...(host.OomKillDisable === true ? [['--oom-kill-disable'] as const] : []),
    ...number('--oom-score-adj', host.OomScoreAdj),
    ...number('--cpus', (host.NanoCpus ?? 0) / 1e9),
    ...number('--cpu-shares', host.CpuShares),
    ...number('--cpu-period', host.CpuPeriod),
    ...number('--cpu-quota', host.CpuQuota),
    ...number('--cpu-rt-period', host.CpuRealtimePeriod),
    ...number('--cpu-rt-runtime', host.CpuRealtimeRuntime),
    ...text('--cpuset-cpus', host.CpusetCpus),
    ...text('--cpuset-mems', host.CpusetMems),
    ...number('--blkio-weight', host.BlkioWeight),
    ...each(
      '--blkio-weight-device',
      host.BlkioWeightDevice?.map(({ Path, Weight }) => `${Path}:${String(Weight)}`),
    ),
    ...rates('--device-read-bps', host.BlkioDeviceReadBps),
    ...rates('--device-write-bps', host.BlkioDeviceWriteBps),
    ...rates('--device-read-iops', host.BlkioDeviceReadIOps),
    ...rates('--device-write-iops', host.BlkioDeviceWriteIOps),
    ...((host.PidsLimit ?? 0) > 0 ? [['--pids-limit', String(host.PidsLimit)] as const] : []),
    ...each(
      '--ulimit',
      host.Ulimits?.map(({ Name, Soft, Hard }) => `${Name}=${String(Soft)}:${String(Hard)}`),
    ),
    ...((host.ShmSize ?? 0) === DEFAULT_SHM ? [] : number('--shm-size', host.ShmSize)),
    ...text('--cgroup-parent', host.CgroupParent),
    ...restartFlags(host),
    ...logFlags(host),
  ];
}

function restartFlags({ RestartPolicy: policy }: HostConfig): Flag[] {
  const name = policy?.Name ?? '';
  if (policy === undefined || name === '' || name === 'no') return [];
  const tries = policy.MaximumRetryCount ?? 0;
  return [['--restart', name === 'on-failure' && tries > 0 ? `${name}:${String(tries)}` : name]];
}

function logFlags({ LogConfig: log }: HostConfig): Flag[] {
  const driver = log?.Type ?? '';
  return [
    ...(['', 'json-file', 'journald'].includes(driver) ? [] : [['--log-driver', driver] as const]),
    ...pairs('--log-opt', log?.Config ?? undefined),
  ];
}

/** Runtimes that engines choose by themselves. */
const RUNTIMES = ['', 'runc', 'crun', 'oci', 'pinnace', 'io.containerd.runc.v2'];

export function securityFlags(host: HostConfig): Flag[] {
  return [
    ...(host.Privileged === true ? [['--privileged'] as const] : []),
    ...each('--cap-add', host.CapAdd),
    ...each('--cap-drop', host.CapDrop),
    ...each(
      '--security-opt',
      host.Privileged === true ? withoutLabel(host.SecurityOpt) : host.SecurityOpt,
    ),
    ...each('--group-add', host.GroupAdd),
    ...each('--device', host.Devices?.map(deviceText)),
    ...each('--device-cgroup-rule', host.DeviceCgroupRules),
    ...each('--gpus', host.DeviceRequests?.map(gpuText)),
    ...pairs('--sysctl', host.Sysctls),
    ...pairs('--annotation', host.Annotations),
    ...(host.Init === true ? [['--init'] as const] : []),
    ...(host.ReadonlyRootfs === true ? [['--read-only'] as const] : []),
    ...(['private', 'shareable'].includes(host.IpcMode ?? '') ? [] : text('--ipc', host.IpcMode)),
    ...text('--pid', host.PidMode === 'private' ? '' : host.PidMode),
    ...text('--uts', host.UTSMode === 'private' ? '' : host.UTSMode),
    ...text('--userns', host.UsernsMode),
    ...(host.CgroupnsMode === 'host' ? [['--cgroupns', 'host'] as const] : []),
    ...(RUNTIMES.includes(host.Runtime ?? '') ? [] : text('--runtime', host.Runtime)),
  ];
}

/** Privileged containers are given `label=disable` by the engine. */
function withoutLabel(options: string[] | null | undefined): string[] {
  return (options ?? []).filter((option) => option !== 'label=disable');
}

function deviceText(device: {
  PathOnHost: string;
  PathInContainer?: string;
  CgroupPermissions?: string;
}): string {
  const inside = device.PathInContainer ?? device.PathOnHost;
  const rights = device.CgroupPermissions ?? 'rwm';
  if (rights !== 'rwm') return `${device.PathOnHost}:${inside}:${rights}`;
  return inside === device.PathOnHost ? inside : `${device.PathOnHost}:${inside}`;
}

/** `all`, a number, or the devices and capabilities as the flag's comma-separated fields. */
function gpuText(request: unknown): string {
  const { Count, DeviceIDs, Driver } = request as {
    Count?: number;
    DeviceIDs?: string[] | null;
    Driver?: string;
  };
  const driver = (Driver ?? '') === '' ? [] : [`driver=${Driver ?? ''}`];
  const ids = DeviceIDs ?? [];
  if (ids.length > 0) return [csvField(`device=${ids.join(',')}`), ...driver].join(',');
  const all = (Count ?? -1) < 0;
  if (driver.length === 0) return all ? 'all' : String(Count);
  return [`count=${all ? 'all' : String(Count)}`, ...driver].join(',');
}

function rates(flag: string, devices: ThrottleDevice[] | null | undefined): Flag[] {
  return each(
    flag,
    devices?.map(({ Path, Rate }) => `${Path}:${String(Rate)}`),
  );
}

function each(flag: string, values: readonly string[] | null | undefined): Flag[] {
  return (values ?? []).map((value) => [flag, value]);
}

function pairs(flag: string, values: Readonly<Record<string, string>> | null | undefined): Flag[] {
  return Object.entries(values ?? {}).map(([name, value]) => [flag, `${name}=${value}`]);
}

function text(flag: string, value: string | undefined): Flag[] {
  return value === undefined || value === '' ? [] : [[flag, value]];
}

function number(flag: string, value: number | undefined): Flag[] {
  return value === undefined || value === 0 ? [] : [[flag, String(value)]];
}
