/** The shapes of the request bodies, as tables: what the server checks before anything acts on them. They mirror lib/api/containers.ts. */

import type { Shape } from './body.ts';

const STRING_MAP: Shape = { map: 'string' };
const EMPTY_MAP: Shape = { map: { fields: {} } };
const PATH_RATES: Shape = { list: { fields: { Path: 'string', Rate: 'integer' } } };

const HEALTHCHECK: Shape = {
  fields: {
    Test: 'strings',
    Interval: 'integer',
    Timeout: 'integer',
    StartPeriod: 'integer',
    StartInterval: 'integer',
    Retries: 'integer',
  },
};

const RESOURCES: Readonly<Record<string, Shape>> = {
  CpuShares: 'integer',
  Memory: 'integer',
  NanoCpus: 'integer',
  CgroupParent: 'string',
  BlkioWeight: 'integer',
  BlkioWeightDevice: { list: { fields: { Path: 'string', Weight: 'integer' } } },
  BlkioDeviceReadBps: PATH_RATES,
  BlkioDeviceWriteBps: PATH_RATES,
  BlkioDeviceReadIOps: PATH_RATES,
  BlkioDeviceWriteIOps: PATH_RATES,
  CpuPeriod: 'integer',
  CpuQuota: 'integer',
  CpuRealtimePeriod: 'integer',
  CpuRealtimeRuntime: 'integer',
  CpusetCpus: 'string',
  CpusetMems: 'string',
  Devices: {
    list: {
      fields: { PathOnHost: 'string', PathInContainer: 'string', CgroupPermissions: 'string' },
    },
  },
  DeviceCgroupRules: 'strings',
  DeviceRequests: { list: 'any' },
  MemoryReservation: 'integer',
  MemorySwap: 'integer',
  MemorySwappiness: 'integer',
  OomKillDisable: 'boolean',
  PidsLimit: 'integer',
  Ulimits: { list: { fields: { Name: 'string', Soft: 'integer', Hard: 'integer' } } },
};

const RESTART_POLICY: Shape = { fields: { Name: 'string', MaximumRetryCount: 'integer' } };

const MOUNT: Shape = {
  fields: {
    Type: 'string',
    Source: 'string',
    Target: 'string',
    ReadOnly: 'boolean',
    Consistency: 'string',
    BindOptions: {
      fields: {
        Propagation: 'string',
        NonRecursive: 'boolean',
        CreateMountpoint: 'boolean',
        ReadOnlyNonRecursive: 'boolean',
        ReadOnlyForceRecursive: 'boolean',
      },
    },
    VolumeOptions: {
      fields: {
        NoCopy: 'boolean',
        Labels: STRING_MAP,
        Subpath: 'string',
        DriverConfig: { fields: { Name: 'string', Options: STRING_MAP } },
      },
    },
    ImageOptions: { fields: { Subpath: 'string' } },
    TmpfsOptions: {
      fields: { SizeBytes: 'integer', Mode: 'integer', Options: { list: 'strings' } },
    },
  },
};

const HOST_CONFIG: Shape = {
  fields: {
    ...RESOURCES,
    Binds: 'strings',
    ContainerIDFile: 'string',
    LogConfig: { fields: { Type: 'string', Config: STRING_MAP } },
    NetworkMode: 'string',
    PortBindings: { map: { list: { fields: { HostIp: 'string', HostPort: 'string' } } } },
    RestartPolicy: RESTART_POLICY,
    AutoRemove: 'boolean',
    VolumeDriver: 'string',
    VolumesFrom: 'strings',
    ConsoleSize: { list: 'integer' },
    Annotations: STRING_MAP,
    CapAdd: 'strings',
    CapDrop: 'strings',
    CgroupnsMode: 'string',
    Dns: 'strings',
    DnsOptions: 'strings',
    DnsSearch: 'strings',
    ExtraHosts: 'strings',
    GroupAdd: 'strings',
    IpcMode: 'string',
    Cgroup: 'string',
    Links: 'strings',
    OomScoreAdj: 'integer',
    PidMode: 'string',
    Privileged: 'boolean',
    PublishAllPorts: 'boolean',
    ReadonlyRootfs: 'boolean',
    SecurityOpt: 'strings',
    StorageOpt: STRING_MAP,
    Tmpfs: STRING_MAP,
    UTSMode: 'string',
    UsernsMode: 'string',
    ShmSize: 'integer',
    Sysctls: STRING_MAP,
    Runtime: 'string',
    Isolation: 'string',
    Mounts: { list: MOUNT },
    MaskedPaths: 'strings',
    ReadonlyPaths: 'strings',
    Init: 'boolean',
  },
};

const ENDPOINT: Shape = {
  fields: {
    IPAMConfig: {
      fields: { IPv4Address: 'string', IPv6Address: 'string', LinkLocalIPs: 'strings' },
    },
    Links: 'strings',
    Aliases: 'strings',
    MacAddress: 'string',
    DriverOpts: STRING_MAP,
    GwPriority: 'integer',
    NetworkID: 'string',
  },
};

const CONTAINER_CONFIG: Readonly<Record<string, Shape>> = {
  Hostname: 'string',
  Domainname: 'string',
  User: 'string',
  AttachStdin: 'boolean',
  AttachStdout: 'boolean',
  AttachStderr: 'boolean',
  ExposedPorts: EMPTY_MAP,
  Tty: 'boolean',
  OpenStdin: 'boolean',
  StdinOnce: 'boolean',
  Env: 'strings',
  Cmd: 'string-or-strings',
  Healthcheck: HEALTHCHECK,
  ArgsEscaped: 'boolean',
  Image: 'string',
  Volumes: EMPTY_MAP,
  WorkingDir: 'string',
  Entrypoint: 'string-or-strings',
  NetworkDisabled: 'boolean',
  MacAddress: 'string',
  OnBuild: 'strings',
  Labels: STRING_MAP,
  StopSignal: 'string',
  StopTimeout: 'integer',
  Shell: 'strings',
};

export const CREATE_SHAPE: Shape = {
  fields: {
    ...CONTAINER_CONFIG,
    HostConfig: HOST_CONFIG,
    NetworkingConfig: { fields: { EndpointsConfig: { map: ENDPOINT } } },
  },
};

export const UPDATE_SHAPE: Shape = { fields: { ...RESOURCES, RestartPolicy: RESTART_POLICY } };

export const EXEC_CREATE_SHAPE: Shape = {
  fields: {
    User: 'string',
    Privileged: 'boolean',
    Tty: 'boolean',
    ConsoleSize: { list: 'integer' },
    AttachStdin: 'boolean',
    AttachStderr: 'boolean',
    AttachStdout: 'boolean',
    Detach: 'boolean',
    DetachKeys: 'string',
    Env: 'strings',
    WorkingDir: 'string',
    Cmd: 'strings',
  },
};

export const EXEC_START_SHAPE: Shape = {
  fields: { Detach: 'boolean', Tty: 'boolean', ConsoleSize: { list: 'integer' } },
};

export const VOLUME_CREATE_SHAPE: Shape = {
  fields: { Name: 'string', Driver: 'string', DriverOpts: STRING_MAP, Labels: STRING_MAP },
};

export const NETWORK_CREATE_SHAPE: Shape = {
  fields: {
    Name: 'string',
    Driver: 'string',
    Scope: 'string',
    CheckDuplicate: 'boolean',
    Internal: 'boolean',
    Attachable: 'boolean',
    Ingress: 'boolean',
    ConfigOnly: 'boolean',
    ConfigFrom: { fields: { Network: 'string' } },
    EnableIPv4: 'boolean',
    EnableIPv6: 'boolean',
    IPAM: {
      fields: {
        Driver: 'string',
        Options: STRING_MAP,
        Config: {
          list: {
            fields: {
              Subnet: 'string',
              IPRange: 'string',
              Gateway: 'string',
              AuxiliaryAddresses: STRING_MAP,
            },
          },
        },
      },
    },
    Labels: STRING_MAP,
    Options: STRING_MAP,
  },
};

export const NETWORK_MEMBER_SHAPE: Shape = {
  fields: { Container: 'string', Force: 'boolean', EndpointConfig: ENDPOINT },
};

export const AUTH_FIELDS: Shape = {
  fields: {
    username: 'string',
    password: 'string',
    email: 'string',
    auth: 'string',
    serveraddress: 'string',
    identitytoken: 'string',
    registrytoken: 'string',
  },
};
