/** Tests of docker's flags as a create request. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command } from 'commander';
import type { ContainerCreateRequest } from '../lib/api/containers.ts';
import { addContainerFlags, type ContainerFlags } from './container-flags.ts';
import { createRequest, nanoseconds } from './container-options.ts';

function parse(...words: string[]): ContainerCreateRequest {
  const command = addContainerFlags(
    new Command('run')
      .argument('<image>')
      .argument('[command...]')
      .helpOption('--help')
      .passThroughOptions(),
  );
  command.exitOverride().configureOutput({ writeErr: () => undefined });
  command.parse(words, { from: 'user' });
  const [image = '', ...rest] = command.args;
  return createRequest(image, rest, command.opts<ContainerFlags>(), {
    env: { HOME: '/home/me' },
    readFile: () => '# comment\nFROM_FILE=1\n\nHOME\n',
    resolvePath: (path) => `/here/${path.replace(/^\.\//, '')}`,
  });
}

test('what follows the image belongs to the program', () => {
  const request = parse('-it', '--rm', 'busybox', 'ls', '-l', '--rm');
  assert.equal(request.Image, 'busybox');
  assert.deepEqual(request.Cmd, ['ls', '-l', '--rm']);
  assert.deepEqual(
    [request.Tty, request.OpenStdin, request.StdinOnce, request.HostConfig?.AutoRemove],
    [true, true, true, true],
  );
});

test('the environment comes from flags, files and this process', () => {
  assert.deepEqual(parse('-e', 'A=1', '-e', 'HOME', '-e', 'UNSET', '--env-file', 'f', 'x').Env, [
    'FROM_FILE=1',
    'HOME=/home/me',
    'A=1',
    'HOME=/home/me',
  ]);
});

test('volumes are binds, anonymous ones stand apart, relative sources become absolute', () => {
  const request = parse('-v', './src:/src:ro', '-v', 'named:/data', '-v', '/anonymous', 'x');
  assert.deepEqual(request.HostConfig?.Binds, ['/here/src:/src:ro', 'named:/data']);
  assert.deepEqual(request.Volumes, { '/anonymous': {} });
});

test('published ports take addresses, ranges and protocols', () => {
  const { HostConfig, ExposedPorts } = parse(
    '-p',
    '127.0.0.1:8080:80',
    '-p',
    '9000-9001:90-91/udp',
    '-p',
    '7',
    '-p',
    '[::1]:5:5',
    'x',
  );
  assert.deepEqual(HostConfig?.PortBindings, {
    '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080' }],
    '90/udp': [{ HostIp: '', HostPort: '9000' }],
    '91/udp': [{ HostIp: '', HostPort: '9001' }],
    '7/tcp': [{ HostIp: '', HostPort: '' }],
    '5/tcp': [{ HostIp: '::1', HostPort: '5' }],
  });
  assert.equal(Object.keys(ExposedPorts ?? {}).length, 5);
});

test('limits are bytes, billionths and whole numbers', () => {
  const config = parse(
    '-m',
    '64m',
    '--cpus',
    '1.5',
    '--pids-limit',
    '10',
    '--shm-size',
    '1g',
    '--ulimit',
    'nofile=10:20',
    'x',
  ).HostConfig;
  assert.deepEqual(
    [config?.Memory, config?.NanoCpus, config?.PidsLimit, config?.ShmSize],
    [67_108_864, 1_500_000_000, 10, 1_073_741_824],
  );
  assert.deepEqual(config?.Ulimits, [{ Name: 'nofile', Soft: 10, Hard: 20 }]);
});

test('mounts are read by key', () => {
  assert.deepEqual(parse('--mount', 'type=bind,src=./a,dst=/b,readonly', 'x').HostConfig?.Mounts, [
    { Type: 'bind', Target: '/b', Source: '/here/a', ReadOnly: true },
  ]);
});

for (const [words, message] of [
  [['-p', 'x:y', 'i'], /--publish: invalid port/],
  [['-p', '1-3:1-2', 'i'], /ranges of '1-3:1-2' differ/],
  [['-m', 'much', 'i'], /--memory: invalid size: 'much'/],
  [['--mount', 'type=bind,source=/a', 'i'], /--mount: target is required/],
  [['--mount', 'type=warp,target=/a', 'i'], /unknown type 'warp'/],
  [['--restart', 'maybe', 'i'], /--restart: unknown policy 'maybe'/],
  [['--cpus', 'two', 'i'], /--cpus: 'two' is no number/],
] as const) {
  test(`${words.join(' ')} is refused by name`, () => {
    assert.throws(() => parse(...words), message);
  });
}

test('a duration is read as Go reads it', () => {
  assert.equal(nanoseconds('x', '1m30s'), 90e9);
  assert.throws(() => nanoseconds('x', '1 minute'), /no duration/);
});
