// Makes what the shim's tests run: users, a root file system of busybox, and OCI configs for each mode.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

export type Mode = 'system' | 'rootless' | 'single-id';
type Json = { readonly [key: string]: unknown };

export interface ShimOptions {
  readonly args: readonly string[];
  readonly tty?: boolean;
  readonly openStdin?: boolean;
  readonly stdinOnce?: boolean;
  readonly size?: { readonly height: number; readonly width: number };
  readonly log?: { readonly maxSize?: number; readonly maxFiles?: number };
  /** Changes the OCI config before it is sent. */
  readonly edit?: (config: Record<string, unknown>) => void;
}

/** Where a container is made, and its id. */
export interface Place {
  readonly root: string;
  readonly mode: Mode;
  readonly id: string;
}

export function addUser(name: string, mode: Mode): { uid: number; gid: number } {
  const added = spawnSync('useradd', ['--no-create-home', '--shell', '/bin/sh', name]);
  assert.equal(added.status, 0, `useradd: ${added.stderr.toString()}`);
  const ranges = {
    rootless: ['--add-subuids', '--add-subgids'],
    'single-id': ['--del-subuids', '--del-subgids'],
  };
  if (mode === 'single-id') {
    const file = readFileSync('/etc/subuid', 'utf8');
    const range = file.split('\n').find((line) => line.startsWith(`${name}:`));
    const [, start, count] = range?.split(':') ?? [];
    if (start !== undefined && count !== undefined) {
      const span = `${start}-${String(Number(start) + Number(count) - 1)}`;
      const [uids, gids] = ranges['single-id'];
      spawnSync('usermod', [uids ?? '', span, gids ?? '', span, name]);
    }
  } else if (!readFileSync('/etc/subuid', 'utf8').includes(`${name}:`)) {
    const [uids, gids] = ranges.rootless;
    spawnSync('usermod', [uids ?? '', '700000-765535', gids ?? '', '700000-765535', name]);
  }
  const number = (flag: string): number => Number(spawnSync('id', [flag, name]).stdout.toString());
  return { uid: number('-u'), gid: number('-g') };
}

export function makeRootfs(path: string): void {
  for (const name of ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp', 'root']) {
    mkdirSync(join(path, name), { recursive: true });
  }
  assert.ok(existsSync('/bin/busybox'), 'no /bin/busybox: apt-get install busybox-static');
  copyFileSync('/bin/busybox', join(path, 'bin/busybox'));
  const applets =
    'sh tty sleep cat echo head yes stty id ls true false kill dd tr printf test wc seq ps grep trap';
  for (const applet of applets.split(' ')) symlinkSync('busybox', join(path, 'bin', applet));
  writeFileSync(
    join(path, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\nanna:x:1000:1000::/tmp:/bin/sh\n',
  );
  writeFileSync(join(path, 'etc/group'), 'root:x:0:\nanna:x:1000:\n');
}

export function own(path: string, ids: { uid: number; gid: number }): void {
  spawnSync('chown', ['-R', '-h', `${String(ids.uid)}:${String(ids.gid)}`, path]);
}

export function ociConfig(place: Place, options: ShimOptions): Record<string, unknown> {
  const kinds = ['mount', 'pid', 'uts', 'ipc', 'network'];
  const config: Record<string, unknown> = {
    ociVersion: '1.2.0',
    root: { path: join(place.root, 'rootfs'), readonly: false },
    process: {
      terminal: options.tty ?? false,
      user: { uid: 0, gid: 0 },
      args: options.args,
      env: ['PATH=/bin', 'TERM=xterm'],
      cwd: '/',
      capabilities: capabilities(['CAP_KILL', 'CAP_CHOWN', 'CAP_SETUID', 'CAP_SETGID']),
    },
    hostname: 'box',
    mounts: [
      {
        destination: '/proc',
        type: 'proc',
        source: 'proc',
        options: ['nosuid', 'noexec', 'nodev'],
      },
      {
        destination: '/dev',
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['nosuid', 'mode=755', 'size=65536k'],
      },
      {
        destination: '/dev/pts',
        type: 'devpts',
        source: 'devpts',
        options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620'],
      },
      {
        destination: '/tmp',
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['nosuid', 'nodev', 'mode=1777'],
      },
    ],
    linux: {
      namespaces: kinds.map((type) => ({ type })),
      cgroupsPath: `/pnt/${place.id}`,
      maskedPaths: ['/proc/kcore'],
      readonlyPaths: ['/proc/sys'],
    },
  };
  if (place.mode === 'single-id') config['annotations'] = { 'org.pinnace.single-id': 'true' };
  return config;
}

function capabilities(names: readonly string[]): Json {
  return { bounding: names, effective: names, permitted: names };
}
