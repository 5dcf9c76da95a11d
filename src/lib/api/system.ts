/** The wire types of the Engine API's system, event, volume and network endpoints (API 1.51) and of Pinnace's own. Shapes only. */

import type { ContainerSummary, EndpointSettings } from './containers.ts';

/** A request with it comes from someone who only looks on: its connection does not count as use of the engine. */
export const ONLOOKER_HEADER = 'pinnace-onlooker';

/** Name → accepted values; on the wire `{"label":["a=b"]}` or `{"label":{"a=b":true}}`. */
export type Filters = Readonly<Record<string, readonly string[]>>;

/** What `/_ping` says in its headers. */
export interface Ping {
  apiVersion: string;
  osType: string;
  experimental: boolean;
  builderVersion: string;
  /** e.g. `Pinnace/0.1.0 (linux)`. */
  server: string;
}

export interface Version {
  Platform: { Name: string };
  Components: { Name: string; Version: string; Details: Record<string, string> }[];
  Version: string;
  ApiVersion: string;
  MinAPIVersion: string;
  GitCommit: string;
  GoVersion: string;
  Os: string;
  Arch: string;
  KernelVersion: string;
  Experimental: boolean;
  BuildTime: string;
}

/** The answer of `GET /info`; the fields that describe swarm, plugins and runtimes have Docker's shapes. */
export interface SystemInfo {
  ID: string;
  Containers: number;
  ContainersRunning: number;
  ContainersPaused: number;
  ContainersStopped: number;
  Images: number;
  Driver: string;
  DriverStatus: [string, string][];
  DockerRootDir: string;
  Plugins: { Volume: string[]; Network: string[]; Authorization: null; Log: string[] };
  MemoryLimit: boolean;
  SwapLimit: boolean;
  CpuCfsPeriod: boolean;
  CpuCfsQuota: boolean;
  CPUShares: boolean;
  CPUSet: boolean;
  PidsLimit: boolean;
  IPv4Forwarding: boolean;
  OomKillDisable: boolean;
  Debug: boolean;
  NFd: number;
  NGoroutines: number;
  SystemTime: string;
  LoggingDriver: string;
  CgroupDriver: 'cgroupfs' | 'systemd' | 'none';
  CgroupVersion: '1' | '2';
  NEventsListener: number;
  KernelVersion: string;
  OperatingSystem: string;
  OSVersion: string;
  OSType: 'linux';
  Architecture: string;
  IndexServerAddress: string;
  RegistryConfig: {
    InsecureRegistryCIDRs: string[];
    IndexConfigs: Record<
      string,
      { Name: string; Mirrors: string[]; Secure: boolean; Official: boolean }
    >;
    Mirrors: string[];
  };
  NCPU: number;
  MemTotal: number;
  GenericResources: null;
  HttpProxy: string;
  HttpsProxy: string;
  NoProxy: string;
  Name: string;
  Labels: string[];
  ExperimentalBuild: boolean;
  ServerVersion: string;
  Runtimes: Record<string, { path: string }>;
  DefaultRuntime: string;
  Swarm: Record<string, unknown>;
  LiveRestoreEnabled: boolean;
  Isolation: string;
  InitBinary: string;
  ContainerdCommit: { ID: string };
  RuncCommit: { ID: string };
  InitCommit: { ID: string };
  SecurityOptions: string[];
  Warnings: string[];
}

/** One line of `GET /events`. */
export interface EventMessage {
  /** The first three are the form of API 1.21 and older, still read by old clients. */
  status?: string;
  id?: string;
  from?: string;
  Type: string;
  Action: string;
  Actor: { ID: string; Attributes: Record<string, string> };
  scope: string;
  /** Seconds. */
  time: number;
  timeNano: number;
}

/** The body of `POST /auth` and what X-Registry-Auth carries. */
export interface AuthConfig {
  username?: string;
  password?: string;
  email?: string;
  auth?: string;
  serveraddress?: string;
  identitytoken?: string;
  registrytoken?: string;
}

export interface AuthAnswer {
  Status: string;
  IdentityToken: string;
}

export interface VolumeInfo {
  Name: string;
  Driver: string;
  Mountpoint: string;
  CreatedAt: string;
  Labels: Record<string, string> | null;
  Options: Record<string, string> | null;
  Scope: string;
  UsageData?: { Size: number; RefCount: number } | null;
}

export interface VolumeCreateRequest {
  Name?: string;
  Driver?: string;
  DriverOpts?: Record<string, string>;
  Labels?: Record<string, string>;
}

/** One subnet of a network. */
export interface IpamConfig {
  Subnet?: string;
  /** Where addresses are chosen from. */
  IPRange?: string;
  Gateway?: string;
  /** Name → address that is never given out. */
  AuxiliaryAddresses?: Record<string, string> | null;
}

export interface NetworkInfo {
  Name: string;
  Id: string;
  Created: string;
  Scope: string;
  Driver: string;
  EnableIPv4: boolean;
  EnableIPv6: boolean;
  IPAM: {
    Driver: string;
    Options: Record<string, string> | null;
    Config: IpamConfig[];
  };
  Internal: boolean;
  Attachable: boolean;
  Ingress: boolean;
  ConfigFrom: { Network: string };
  ConfigOnly: boolean;
  Containers: Record<
    string,
    {
      Name: string;
      EndpointID: string;
      MacAddress: string;
      IPv4Address: string;
      IPv6Address: string;
    }
  >;
  Options: Record<string, string>;
  Labels: Record<string, string>;
}

export interface NetworkCreateRequest {
  Name: string;
  Driver?: string;
  Scope?: string;
  Internal?: boolean;
  Attachable?: boolean;
  Ingress?: boolean;
  ConfigOnly?: boolean;
  ConfigFrom?: { Network?: string } | null;
  EnableIPv4?: boolean;
  EnableIPv6?: boolean;
  IPAM?: {
    Driver?: string;
    Options?: Record<string, string> | null;
    Config?: IpamConfig[] | null;
  } | null;
  Labels?: Record<string, string> | null;
  Options?: Record<string, string> | null;
}

/** The body of `POST /networks/{id}/connect`. */
export interface NetworkConnectRequest {
  Container: string;
  EndpointConfig?: EndpointSettings | null;
}

/** The body of `POST /networks/{id}/disconnect`. */
export interface NetworkDisconnectRequest {
  Container: string;
  Force?: boolean;
}

/** One entry of the image part of `GET /system/df`; the image list has the same shape. */
export interface DiskUsageImage {
  Id: string;
  ParentId: string;
  RepoTags: string[];
  RepoDigests: string[];
  Created: number;
  Size: number;
  SharedSize: number;
  Labels: Record<string, string> | null;
  Containers: number;
}

export interface DiskUsage {
  LayersSize: number;
  Images: DiskUsageImage[];
  Containers: ContainerSummary[];
  Volumes: VolumeInfo[];
  BuildCache: unknown[];
}

/** One line of a pull's, load's, import's or build's answer. */
export interface JsonMessage {
  stream?: string;
  status?: string;
  id?: string;
  progress?: string;
  progressDetail?: { current?: number; total?: number };
  aux?: Record<string, unknown>;
  error?: string;
  errorDetail?: { code?: number; message: string };
}

/** The query of `POST /build`; what is left out has Docker's default. */
export interface BuildQuery {
  dockerfile?: string;
  tags?: readonly string[];
  extraHosts?: readonly string[];
  quiet?: boolean;
  noCache?: boolean;
  pull?: boolean;
  buildArgs?: Readonly<Record<string, string | null>>;
  labels?: Readonly<Record<string, string>>;
  target?: string;
  platform?: string;
  networkMode?: string;
  cacheFrom?: readonly string[];
  shmSize?: number;
  memory?: number;
  /** For the engine's record of builds only: the absolute paths on this machine. */
  recordContext?: string;
  recordDockerfile?: string;
}

/** The answer of `GET /pinnace/info`. */
export interface PinnaceInfo {
  version: string;
  pid: number;
  mode: 'system' | 'rootless' | 'single-id';
  dataRoot: string;
  runRoot: string;
  socket: string;
  /** RFC 3339. */
  startedAt: string;
  node: string;
  /** Seconds without work after which the engine ends; null: never. */
  idleExit: number | null;
  containers: { total: number; running: number };
  images: number;
  /** The native helper's findings about the machine (docs/native.md, probe). */
  probe: unknown;
}
