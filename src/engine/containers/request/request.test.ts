/** Checks what create accepts, refuses and fills in: names, signals, configuration, host configuration, mounts. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBind, planMounts } from './binds.ts';
import { mergeConfig, processEnv } from './config.ts';
import { checkHostConfig, logLimits, parseExtraHost, securityOf } from './host-config.ts';
import { checkName, randomName } from './names.ts';
import { checkCreateShape } from './shape.ts';
import { parseSignal } from './signals.ts';

const ID = 'a'.repeat(64);
const facts = { processors: 2 };

test('a name follows the rule of Docker and loses its slash', () => {
  assert.equal(checkName('/web-1'), 'web-1');
  for (const bad of ['', 'a', '-a', 'a/b', 'a b', '../x'])
    assert.throws(() => checkName(bad), /Invalid container name/);
});

test('a random name has two words, and a number only when words run out', () => {
  assert.match(
    randomName(
      () => false,
      () => 0,
    ),
    /^[a-z]+_[a-z]+$/,
  );
  assert.match(
    randomName(
      (name) => !/[0-9]/.test(name),
      () => 1,
    ),
    /^[a-z]+_[a-z]+[0-9]+$/,
  );
});

test('signals are read as names, numbers and real-time offsets', () => {
  assert.equal(parseSignal('SIGTERM'), 15);
  assert.equal(parseSignal('kill'), 9);
  assert.equal(parseSignal('10'), 10);
  assert.equal(parseSignal('RTMIN+3'), 37);
  for (const bad of ['0', '65', 'SIGNOPE', 'RTMIN-1'])
    assert.throws(() => parseSignal(bad), /invalid signal/);
});

test("an own entrypoint takes the image's command away", () => {
  const image = { Entrypoint: ['/e'], Cmd: ['c'] };
  const line = (request: object) => {
    const { path, args } = mergeConfig(request, image, ID);
    return [path, ...args];
  };
  assert.deepEqual(line({}), ['/e', 'c']);
  assert.deepEqual(line({ Cmd: ['x'] }), ['/e', 'x']);
  assert.deepEqual(line({ Entrypoint: ['/o'] }), ['/o']);
  assert.deepEqual(line({ Entrypoint: [''], Cmd: ['x'] }), ['x']);
  assert.deepEqual(line({ Cmd: 'one string' }), ['/e', 'one string']);
  assert.throws(() => mergeConfig({}, {}, ID), /no command specified/);
});

test('the environment of the request wins, and a bare name takes a variable away', () => {
  const { config } = mergeConfig({ Cmd: ['x'], Env: ['A=2', 'PATH'] }, { Env: ['A=1', 'B=1'] }, ID);
  assert.deepEqual(config.Env, ['A=2', 'PATH', 'B=1']);
  assert.deepEqual(processEnv(config, ['C=3']), [
    `HOSTNAME=${'a'.repeat(12)}`,
    'A=2',
    'B=1',
    'C=3',
  ]);
  assert.throws(
    () => mergeConfig({ Cmd: ['x'], Env: ['=x'] }, {}, ID),
    /invalid environment variable/,
  );
});

test("the image's defaults are taken over and checked", () => {
  const image = {
    Cmd: ['x'],
    WorkingDir: '/w/../v/',
    User: 'u',
    Labels: { a: '1', b: '1' },
    ExposedPorts: { '80/tcp': {} },
    Volumes: { '/data': {} },
    StopSignal: 'SIGQUIT',
    Healthcheck: { Test: ['CMD', 'true'], Interval: 5e9 },
  };
  const { config } = mergeConfig({ Labels: { b: '2' }, Healthcheck: { Retries: 2 } }, image, ID);
  assert.equal(config.WorkingDir, '/v');
  assert.equal(config.User, 'u');
  assert.deepEqual(config.Labels, { a: '1', b: '2' });
  assert.equal(config.StopSignal, 'SIGQUIT');
  assert.deepEqual(config.Healthcheck, { Test: ['CMD', 'true'], Interval: 5e9, Retries: 2 });
  assert.throws(
    () => mergeConfig({ WorkingDir: 'rel' }, image, ID),
    /needs to be an absolute path/,
  );
  assert.throws(
    () => mergeConfig({ Healthcheck: { Test: ['NOPE'] } }, image, ID),
    /Healthcheck.Test/,
  );
  assert.throws(() => mergeConfig({ ExposedPorts: { '99999': {} } }, image, ID), /invalid port/);
});

test('members of a wrong type are named', () => {
  assert.throws(() => checkCreateShape({ Env: 'x' }), /Env must be a list of strings/);
  assert.throws(
    () => checkCreateShape({ HostConfig: { Memory: '1' } }),
    /HostConfig\.Memory must be a number/,
  );
  assert.throws(() => checkCreateShape({ User: 'a\0b' }), /User must be a string without NUL/);
  assert.throws(() => checkCreateShape([]), /must be an object/);
  assert.doesNotThrow(() => checkCreateShape({ Env: null, HostConfig: null }));
});

test('the host configuration gets the defaults of Docker', () => {
  const host = checkHostConfig({ Memory: 64 << 20 }, facts);
  assert.equal(host.NetworkMode, 'bridge');
  assert.equal(host.MemorySwap, 128 << 20);
  assert.deepEqual(host.RestartPolicy, { Name: 'no', MaximumRetryCount: 0 });
  assert.equal(host.ShmSize, 64 << 20);
});

test('bad host configurations are refused with a reason', () => {
  const refuse = (host: object, reason: RegExp) =>
    assert.throws(() => checkHostConfig(host, facts), reason);
  refuse({ Memory: 1 }, /Minimum memory limit allowed is 6MB/);
  refuse({ Memory: 64 << 20, MemorySwap: 1 }, /memoryswap/);
  refuse({ NanoCpus: 3e9 }, /range of CPUs/);
  refuse({ RestartPolicy: { Name: 'sometimes' } }, /unknown policy 'sometimes'/);
  refuse({ RestartPolicy: { Name: 'always' }, AutoRemove: true }, /AutoRemove/);
  refuse({ CapAdd: ['NOPE'] }, /unknown capability/);
  refuse({ Sysctls: { 'vm.swappiness': '1' } }, /not in a separate kernel namespace/);
  refuse(
    { Sysctls: { 'net.ipv4.ip_forward': '1' }, NetworkMode: 'host' },
    /host network namespace/,
  );
  refuse({ Ulimits: [{ Name: 'nofile', Soft: 2, Hard: 1 }] }, /soft limit/);
  refuse({ SecurityOpt: ['magic=1'] }, /invalid --security-opt/);
  refuse({ PidMode: 'x' }, /invalid PID mode/);
  refuse({ LogConfig: { Type: 'syslog' } }, /no log driver named 'syslog'/);
  refuse({ Runtime: 'kata' }, /unknown or invalid runtime name/);
});

test('security options are read in both spellings', () => {
  assert.equal(securityOf({ SecurityOpt: ['no-new-privileges'] }).noNewPrivileges, true);
  assert.equal(securityOf({ SecurityOpt: ['no-new-privileges:false'] }).noNewPrivileges, false);
  assert.equal(
    securityOf({ SecurityOpt: ['seccomp=unconfined', 'label=disable'] }).seccomp,
    'unconfined',
  );
});

test('log limits and extra hosts are parsed', () => {
  assert.deepEqual(logLimits({ Config: { 'max-size': '10m', 'max-file': '3' } }), {
    maxSize: 10 << 20,
    maxFiles: 3,
  });
  assert.throws(() => logLimits({ Config: { 'max-size': 'x' } }), /max-size/);
  assert.deepEqual(parseExtraHost('db:[::1]'), { name: 'db', address: '::1' });
  assert.throws(() => parseExtraHost('db'), /bad format for add-host/);
  assert.throws(() => parseExtraHost('a\nb:1.2.3.4'), /bad format/);
});

test('binds are told from volumes and their options kept', () => {
  const bind = parseBind('/h/../x:/c/:ro,z');
  assert.deepEqual(
    [bind.type, bind.source, bind.destination, bind.rw, bind.mode],
    ['bind', '/x', '/c', false, 'ro,z'],
  );
  const volume = parseBind('data:/c:nocopy');
  assert.deepEqual([volume.type, volume.name, volume.copyUp], ['volume', 'data', false]);
  for (const bad of ['./x:/c', 'a:b', '/x:/', '/x:/c:bogus', 'a:b:c:d'])
    assert.throws(() => parseBind(bad));
});

test('each destination is mounted once, and image volumes give way', () => {
  const plan = (host: object, volumes: string[] = []) =>
    planMounts({ host, volumes, inherited: [] });
  assert.throws(() => plan({ Binds: ['/a:/x', '/b:/x/'] }), /Duplicate mount point/);
  const mounts = plan({ Binds: ['/a:/data'], Tmpfs: { '/t': 'size=1m,exec' } }, [
    '/data',
    '/other',
  ]);
  assert.deepEqual(
    mounts.map((mount) => [mount.destination, mount.type]),
    [
      ['/data', 'bind'],
      ['/t', 'tmpfs'],
      ['/other', 'volume'],
    ],
  );
  assert.deepEqual(mounts[1]?.options, ['nosuid', 'nodev', 'size=1m', 'exec']);
  assert.throws(() => plan({ Tmpfs: { '/t': 'lowerdir=/etc' } }), /invalid tmpfs option/);
  assert.throws(
    () => plan({ Mounts: [{ Type: 'image', Target: '/i', Source: 'x' }] }),
    /not supported/,
  );
  assert.throws(
    () =>
      plan({
        Mounts: [{ Type: 'volume', Target: '/i', Source: 'v', VolumeOptions: { Subpath: '../x' } }],
      }),
    /subpath/,
  );
});
