/** Checks the OCI configuration against golden text and Docker's rules for capabilities, seccomp, limits and mounts. */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { DEFAULT_CAPABILITIES, resolveCapabilities } from './capabilities.ts';
import { splitDevice } from './devices.ts';
import { limitWarnings } from './probe.ts';
import { limitResources, parseDeviceRule } from './resources.ts';
import { DEFAULT_PROFILE } from './seccomp-default.ts';
import { kernelAtLeast, parseSeccomp, resolveSeccomp } from './seccomp.ts';
import { buildExecProcess, buildSpec } from './spec.ts';
import type { SpecInput } from './spec.ts';

const input: SpecInput = {
  host: {
    mode: 'system',
    arch: 'x86_64',
    kernel: '6.18.0',
    masked: [],
    helper: '/opt/pinnace-native',
    lowest: [],
  },
  process: { args: ['true'], env: ['A=b'], cwd: '', user: '', tty: false },
  root: { lowers: ['/s/2', '/s/1'], upper: '/c/upper', work: '/c/work' },
  hostname: 'abc',
  cgroupsPath: 'pinnace/abc',
};

function golden(name: string, value: unknown): void {
  const file = new URL(`golden/${name}.json`, import.meta.url);
  const text = `${JSON.stringify(value, null, 2)}\n`;
  if (process.env['UPDATE'] === '1') writeFileSync(file, text);
  assert.equal(text, readFileSync(file, 'utf8'));
}

function withoutFilter(value: SpecInput): unknown {
  const spec = buildSpec(value);
  const { seccomp, ...linux } = spec.linux;
  return { ...spec, linux: { ...linux, seccomp: seccomp === undefined ? 'none' : 'set' } };
}

test("a plain container's configuration is the golden one", () => {
  golden('plain', withoutFilter(input));
});

test('a container with every option has the golden configuration', () => {
  golden(
    'full',
    withoutFilter({
      ...input,
      process: {
        args: ['sh'],
        env: [],
        cwd: '/w',
        user: 'node:staff',
        tty: true,
        size: { height: 24, width: 80 },
      },
      domainname: 'example.org',
      mounts: [
        { destination: '/a/b', type: 'bind', source: '/h/b', options: ['rbind'] },
        { destination: '/a', type: 'bind', source: '/h/a', options: ['rbind', 'ro'] },
        { destination: '/dev/shm', type: 'tmpfs', source: 'tmpfs', options: ['size=1m'] },
      ],
      readonlyRootfs: true,
      capAdd: ['NET_ADMIN'],
      capDrop: ['ALL'],
      noNewPrivileges: true,
      namespaces: { network: 'host', pid: { path: '/proc/7/ns/pid' }, ipc: 'host', uts: 'host' },
      limits: { Memory: 1 << 20, NanoCpus: 1_500_000_000, PidsLimit: 7, CpusetCpus: '0-1' },
      devices: [
        {
          path: '/dev/x',
          hostPath: '/dev/fuse',
          type: 'c',
          major: 10,
          minor: 229,
          fileMode: 0o666,
          uid: 0,
          gid: 0,
          access: 'rw',
        },
      ],
      ulimits: [{ Name: 'nofile', Soft: 10, Hard: -1 }],
      sysctls: { 'kernel.msgmax': '1' },
      oomScoreAdj: 5,
      additionalGids: [7],
      init: true,
    }),
  );
});

test('a rootless container that shares the host network binds sysfs and its devices', () => {
  golden(
    'rootless',
    withoutFilter({
      ...input,
      host: { ...input.host, mode: 'single-id', lowest: ['/lowest'] },
      namespaces: { network: 'host', pid: 'host' },
      devices: [
        {
          path: '/dev/fuse',
          hostPath: '/dev/fuse',
          type: 'c',
          major: 10,
          minor: 229,
          fileMode: 0o666,
          uid: 0,
          gid: 0,
          access: 'rwm',
        },
      ],
    }),
  );
});

test('a privileged container has every capability, no filter and nothing masked', () => {
  const spec = buildSpec({ ...input, privileged: true });
  assert.equal(spec.process.capabilities?.effective?.length, 41);
  assert.equal(spec.linux['seccomp'], undefined);
  assert.deepEqual(spec.linux['maskedPaths'], []);
  assert.ok(spec.mounts.every((mount) => mount.options?.includes('ro') !== true));
});

test('no container has inheritable or ambient capabilities', () => {
  for (const privileged of [true, false]) {
    const spec = buildSpec({ ...input, privileged });
    assert.deepEqual(spec.process.capabilities?.inheritable, []);
    assert.deepEqual(spec.process.capabilities.ambient, []);
  }
});

test('capabilities are added and dropped as Docker does, ALL included', () => {
  const choose = (add: string[], drop: string[]) =>
    resolveCapabilities({ privileged: false, add, drop });
  assert.deepEqual(new Set(choose([], [])), new Set(DEFAULT_CAPABILITIES));
  assert.deepEqual(choose(['net_admin'], ['all']), ['CAP_NET_ADMIN']);
  assert.equal(choose(['ALL'], ['CAP_SYS_ADMIN']).length, 40);
  assert.ok(!choose([], ['MKNOD']).includes('CAP_MKNOD'));
  assert.throws(() => choose(['NOSUCH'], []), /unknown capability: "NOSUCH"/);
});

interface Rule {
  names: string[];
  action: string;
  errnoRet?: number;
  args?: { index: number; value: number; op: string }[];
}

function rules(capabilities: string[]): Rule[] {
  const filter = resolveSeccomp(DEFAULT_PROFILE, {
    capabilities,
    arch: 'x86_64',
    kernel: '6.18.0',
  });
  return filter['syscalls'] as Rule[];
}

test('the default filter denies namespaces, io_uring, AF_ALG and AF_VSOCK without capabilities', () => {
  const plain = rules([...DEFAULT_CAPABILITIES]);
  const allowed = new Set(
    plain.filter((rule) => rule.action === 'SCMP_ACT_ALLOW').flatMap((rule) => rule.names),
  );
  for (const name of [
    'io_uring_setup',
    'io_uring_enter',
    'mount',
    'unshare',
    'setns',
    'fsopen',
    'bpf',
    'keyctl',
    'socketcall',
  ]) {
    assert.ok(!allowed.has(name), name);
  }
  for (const name of ['read', 'ptrace', 'chroot', 'arch_prctl']) assert.ok(allowed.has(name), name);
  const clone3 = plain.find((rule) => rule.names.includes('clone3'));
  assert.equal(clone3?.errnoRet, 38);
  const permits = (family: number) =>
    plain
      .filter((rule) => rule.names.includes('socket'))
      .some(({ args }) => {
        const arg = args?.[0];
        if (arg?.op === 'SCMP_CMP_LT') return family < arg.value;
        return arg?.op === 'SCMP_CMP_GT' ? family > arg.value : family === arg?.value;
      });
  assert.deepEqual([2, 37, 38, 39, 40, 41].map(permits), [true, true, false, true, false, true]);
});

test('the default filter opens with the capabilities that its conditions name', () => {
  const admin = rules(['CAP_SYS_ADMIN']);
  const clones = admin.filter((rule) => rule.names.some((name) => name.startsWith('clone')));
  assert.ok(clones.every((rule) => rule.action === 'SCMP_ACT_ALLOW' && rule.args === undefined));
  assert.ok(!admin.some((rule) => rule.names.includes('chroot')));
});

test('a profile of the user is checked before it is used', () => {
  assert.throws(() => parseSeccomp('{'), /Decoding seccomp profile failed/);
  assert.throws(() => parseSeccomp('{}'), /defaultAction is missing/);
  assert.throws(
    () => parseSeccomp('{"defaultAction":"A","syscalls":[{}]}'),
    /syscalls\[0\]\.action/,
  );
  const profile = parseSeccomp(
    '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"mkdir","action":"SCMP_ACT_ERRNO"}]}',
  );
  const filter = resolveSeccomp(profile, { capabilities: [], arch: 'x86_64', kernel: '6.1' });
  assert.deepEqual(filter['syscalls'], [{ names: ['mkdir'], action: 'SCMP_ACT_ERRNO' }]);
});

test('kernel versions are compared by number', () => {
  assert.ok(kernelAtLeast('6.18.0-1-amd64', '4.8'));
  assert.ok(kernelAtLeast('4.8.1', '4.8'));
  assert.ok(!kernelAtLeast('4.7.9', '4.8'));
});

test('limits become the resources of the runtime specification', () => {
  const none = new Map<string, { major: number; minor: number }>();
  assert.deepEqual(limitResources({}, none), {});
  assert.deepEqual(limitResources({ Memory: 10, CpuShares: 2, PidsLimit: -1 }, none), {
    memory: { limit: 10, swap: 20 },
    cpu: { shares: 2 },
    pids: { limit: -1 },
  });
  assert.throws(
    () => limitResources({ BlkioDeviceReadBps: [{ Path: '/dev/nope', Rate: 1 }] }, none),
    /no block device at \/dev\/nope/,
  );
  assert.deepEqual(parseDeviceRule('c 10:* rw'), {
    allow: true,
    type: 'c',
    major: 10,
    access: 'rw',
  });
  assert.throws(() => parseDeviceRule('x 1:2 r'), /invalid device cgroup rule/);
});

test('a limit that the machine cannot enforce is warned about in the words of Docker', () => {
  assert.deepEqual(limitWarnings({ Memory: 1 }, ['pids']), [
    'Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded.',
  ]);
  assert.deepEqual(limitWarnings({ Memory: 1, PidsLimit: 4 }, ['memory', 'pids']), []);
});

test('an exec has the rights of its container unless it is privileged', () => {
  const container = buildSpec({ ...input, capDrop: ['ALL'], noNewPrivileges: true }).process;
  const own = { args: ['id'], env: [], cwd: '/', user: 'x', tty: false };
  assert.deepEqual(
    buildExecProcess(container, { ...own, privileged: false }).capabilities?.effective,
    [],
  );
  const strong = buildExecProcess(container, { ...own, privileged: true });
  assert.equal(strong.capabilities?.effective?.length, 41);
  assert.equal(strong.user.username, 'x');
});

test('device numbers are split as makedev joins them', () => {
  assert.deepEqual(splitDevice(0x0ae5), { major: 10, minor: 229 });
  assert.deepEqual(splitDevice(0x10_0000 + 0x0801), { major: 8, minor: 257 });
});
