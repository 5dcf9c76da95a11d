/** Checks that a request's members have the JSON types of the API before anything reads them. Pure; messages name the member. */

import { EngineError } from '../../../lib/errors.ts';
import { isRecord } from '../../../lib/record.ts';

type Kind =
  | 'string'
  | 'number'
  | 'boolean'
  | 'strings'
  | 'map'
  | 'object'
  | 'objects'
  | 'command'
  | 'numbers';
type Shape = Readonly<Record<string, Kind>>;

const CONFIG: Shape = {
  Hostname: 'string',
  Domainname: 'string',
  User: 'string',
  AttachStdin: 'boolean',
  AttachStdout: 'boolean',
  AttachStderr: 'boolean',
  ExposedPorts: 'object',
  Tty: 'boolean',
  OpenStdin: 'boolean',
  StdinOnce: 'boolean',
  Env: 'strings',
  Cmd: 'command',
  Healthcheck: 'object',
  Image: 'string',
  Volumes: 'object',
  WorkingDir: 'string',
  Entrypoint: 'command',
  NetworkDisabled: 'boolean',
  Labels: 'map',
  StopSignal: 'string',
  StopTimeout: 'number',
  Shell: 'strings',
  HostConfig: 'object',
  NetworkingConfig: 'object',
};

const HOST: Shape = {
  Binds: 'strings',
  LogConfig: 'object',
  NetworkMode: 'string',
  PortBindings: 'object',
  RestartPolicy: 'object',
  AutoRemove: 'boolean',
  VolumesFrom: 'strings',
  ConsoleSize: 'numbers',
  Annotations: 'map',
  CapAdd: 'strings',
  CapDrop: 'strings',
  CgroupnsMode: 'string',
  CgroupParent: 'string',
  Dns: 'strings',
  DnsOptions: 'strings',
  DnsSearch: 'strings',
  ExtraHosts: 'strings',
  GroupAdd: 'strings',
  IpcMode: 'string',
  Links: 'strings',
  OomScoreAdj: 'number',
  PidMode: 'string',
  Privileged: 'boolean',
  PublishAllPorts: 'boolean',
  ReadonlyRootfs: 'boolean',
  SecurityOpt: 'strings',
  StorageOpt: 'map',
  Tmpfs: 'map',
  UTSMode: 'string',
  UsernsMode: 'string',
  ShmSize: 'number',
  Sysctls: 'map',
  Runtime: 'string',
  Isolation: 'string',
  Mounts: 'objects',
  MaskedPaths: 'strings',
  ReadonlyPaths: 'strings',
  Init: 'boolean',
  PinnaceOwner: 'object',
  Memory: 'number',
  MemorySwap: 'number',
  MemoryReservation: 'number',
  MemorySwappiness: 'number',
  NanoCpus: 'number',
  CpuShares: 'number',
  CpuPeriod: 'number',
  CpuQuota: 'number',
  CpuRealtimePeriod: 'number',
  CpuRealtimeRuntime: 'number',
  CpusetCpus: 'string',
  CpusetMems: 'string',
  BlkioWeight: 'number',
  BlkioWeightDevice: 'objects',
  BlkioDeviceReadBps: 'objects',
  BlkioDeviceWriteBps: 'objects',
  BlkioDeviceReadIOps: 'objects',
  BlkioDeviceWriteIOps: 'objects',
  Devices: 'objects',
  DeviceCgroupRules: 'strings',
  DeviceRequests: 'objects',
  OomKillDisable: 'boolean',
  PidsLimit: 'number',
  Ulimits: 'objects',
};

const EXEC: Shape = {
  User: 'string',
  Privileged: 'boolean',
  Tty: 'boolean',
  ConsoleSize: 'numbers',
  AttachStdin: 'boolean',
  AttachStdout: 'boolean',
  AttachStderr: 'boolean',
  DetachKeys: 'string',
  Env: 'strings',
  WorkingDir: 'string',
  Cmd: 'strings',
  PinnaceTool: 'string',
};

export function checkCreateShape(request: unknown): void {
  check(request, CONFIG, '');
  const host = (request as Record<string, unknown>)['HostConfig'];
  if (host !== undefined && host !== null) check(host, HOST, 'HostConfig.');
}

export function checkHostShape(request: unknown): void {
  check(request, HOST, '');
}

export function checkExecShape(request: unknown): void {
  check(request, EXEC, '');
}

function check(value: unknown, shape: Shape, at: string): void {
  if (!isRecord(value))
    throw new EngineError(
      'invalid',
      `${at === '' ? 'the request' : at.slice(0, -1)} must be an object`,
    );
  for (const [name, kind] of Object.entries(shape)) {
    const member = value[name];
    if (member === undefined || member === null) continue;
    if (!TESTS[kind](member))
      throw new EngineError('invalid', `${at}${name} must be ${WORDS[kind]}`);
  }
}

const TESTS: Readonly<Record<Kind, (value: unknown) => boolean>> = {
  // A NUL cannot pass any system call; a line of the API never needs one.
  string: isText,
  number: (value) => typeof value === 'number' && Number.isFinite(value),
  boolean: (value) => typeof value === 'boolean',
  strings: (value) => Array.isArray(value) && value.every(isText),
  numbers: (value) =>
    Array.isArray(value) &&
    value.every((item) => Number.isInteger(item) && item >= 0 && item < 65536),
  map: (value) => isRecord(value) && Object.values(value).every(isText),
  object: isRecord,
  objects: (value) => Array.isArray(value) && value.every(isRecord),
  command: (value) => isText(value) || (Array.isArray(value) && value.every(isText)),
};

const WORDS: Readonly<Record<Kind, string>> = {
  string: 'a string without NUL',
  number: 'a number',
  boolean: 'true or false',
  strings: 'a list of strings without NUL',
  numbers: 'a list of numbers from 0 to 65535',
  map: 'an object of strings without NUL',
  object: 'an object',
  objects: 'a list of objects',
  command: 'a string or a list of strings without NUL',
};

function isText(value: unknown): boolean {
  return typeof value === 'string' && !value.includes('\0');
}
