/** Bundles for the runtime's contract suite, and the verbs of our binary and of crun on them, in a folder that goes at the end. It must leave no process, mount, cgroup or state behind. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { nativeBinary } from '../../native/shim-rig.ts';

export type Runtime = 'ours' | 'crun';
export const RUNTIMES: readonly Runtime[] = ['ours', 'crun'];

/** JSON of a config.json; the tests change what they are about. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = Record<string, Json>;

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const APPLETS =
  'sh true false cat id ls mount echo env sleep hostname stty umask pwd readlink stat grep sed sort kill touch chown mkdir test ps wc head dd chmod sync tty od date cut tr seq mkfifo sysctl nproc unshare find usleep';
const BUSYBOX = '/bin/busybox';

/** crun refuses a hybrid cgroup layout unless hugetlb is mounted too: in a mount namespace of its own. */
const CRUN_LAYOUT = `
if [ -d /sys/fs/cgroup/memory ] && ! grep -q ' /sys/fs/cgroup/hugetlb ' /proc/self/mounts; then
  mkdir -p /sys/fs/cgroup/hugetlb && mount -t cgroup -o hugetlb hugetlb /sys/fs/cgroup/hugetlb
fi
exec "$@"`;

const NAMESPACES: Json = ['pid', 'network', 'ipc', 'uts', 'mount', 'cgroup'].map((type) => ({
  type,
}));

/** Docker's set. */
const CAPS = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FSETID',
  'CAP_FOWNER',
  'CAP_MKNOD',
  'CAP_NET_RAW',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETFCAP',
  'CAP_SETPCAP',
  'CAP_NET_BIND_SERVICE',
  'CAP_SYS_CHROOT',
  'CAP_KILL',
  'CAP_AUDIT_WRITE',
];

/** A folder for one test file. */
export class Rig {
  readonly dir: string;
  readonly rootfs: string;
  readonly #before: string;
  #serial = 0;

  constructor() {
    assert.equal(process.getuid?.(), 0, 'these tests need root: they make containers');
    assert.ok(existsSync(BUSYBOX), 'these tests need busybox: apt-get install busybox-static');
    this.dir = mkdtempSync('/tmp/pinnace-oci-');
    chmodSync(this.dir, 0o755);
    this.rootfs = this.makeRootfs('rootfs');
    this.#before = this.traces();
  }

  /** A root file system of busybox in the folder. */
  makeRootfs(name: string): string {
    const root = join(this.dir, name);
    for (const folder of ['bin', 'proc', 'sys', 'dev', 'tmp', 'etc', 'root'])
      mkdirSync(join(root, folder), { recursive: true });
    copyFileSync(BUSYBOX, join(root, 'bin/busybox'));
    chmodSync(join(root, 'bin/busybox'), 0o755);
    chmodSync(join(root, 'tmp'), 0o1777);
    for (const applet of APPLETS.split(' ')) symlinkSync('busybox', join(root, 'bin', applet));
    writeFileSync(
      join(root, 'etc/passwd'),
      'root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1001::/home/node:/bin/sh\n',
    );
    writeFileSync(join(root, 'etc/group'), 'root:x:0:\nnode:x:1001:\naudio:x:29:node\n');
    return root;
  }

  /** A path in the folder that nothing uses yet. */
  fresh(name: string): string {
    this.#serial += 1;
    return join(this.dir, `${name}-${this.#serial}`);
  }

  /** An id that no other test uses. */
  id(): string {
    this.#serial += 1;
    return `pct-${process.pid}-${this.#serial}`;
  }

  /** A bundle that runs `script` with sh; `change` edits its config.json. */
  bundle(script: string, change: (config: Config) => void = () => undefined): string {
    const config = new Config(this.rootfs, ['/bin/sh', '-c', script]);
    change(config);
    const bundle = this.fresh('bundle');
    mkdirSync(bundle);
    writeFileSync(join(bundle, 'config.json'), JSON.stringify(config.root));
    return bundle;
  }

  /** The command line of a runtime. */
  command(runtime: Runtime, args: readonly string[]): string[] {
    const root = join(this.dir, `state-${runtime}`);
    if (runtime === 'ours') return [nativeBinary(), '--root', root, ...args];
    const wrap = ['unshare', '-m', 'sh', '-c', CRUN_LAYOUT, 'sh'];
    return [...wrap, 'crun', '--root', root, ...args];
  }

  /** Runs a verb to its end. */
  run(runtime: Runtime, args: readonly string[], input = ''): Ran {
    return this.exec(this.command(runtime, args), input);
  }

  exec(command: readonly string[], input = ''): Ran {
    const [program = '', ...args] = command;
    const ran = spawnSync(program, args, { input, encoding: 'utf8', timeout: 280_000 });
    if (ran.error !== undefined) throw ran.error;
    return { status: ran.status, stdout: ran.stdout, stderr: ran.stderr };
  }

  /** `run` of a bundle. */
  runBundle(runtime: Runtime, bundle: string, input = ''): Ran {
    return this.run(runtime, ['run', '--bundle', bundle, this.id()], input);
  }

  /** The same script on both runtimes; the outputs must be equal and the status 0. Gives the output. */
  same(script: string, change: (config: Config) => void = () => undefined): string {
    const bundle = this.bundle(script, change);
    const [ours, theirs] = RUNTIMES.map((runtime) => this.runBundle(runtime, bundle));
    assert.ok(ours !== undefined && theirs !== undefined);
    assert.equal(theirs.status, 0, `crun: ${theirs.stderr}`);
    assert.equal(ours.status, 0, `ours: ${ours.stderr}`);
    assert.equal(ours.stdout, theirs.stdout);
    return ours.stdout;
  }

  /** The cgroups, mounts and state directories that a container of this rig could leave. */
  traces(): string {
    const groups: string[] = [];
    for (const folder of ['/sys/fs/cgroup', ...children('/sys/fs/cgroup')])
      groups.push(...children(folder).filter((path) => path.includes(`pct-${process.pid}`)));
    const mounts = readFileSync('/proc/self/mounts', 'utf8')
      .split('\n')
      .filter((line) => line.includes(this.dir));
    const states = children(join(this.dir, 'state-ours'));
    const processes = children('/proc').filter((path) => {
      try {
        return readFileSync(`${path}/cmdline`, 'utf8').includes(this.dir);
      } catch {
        return false;
      }
    });
    return [...groups, ...mounts, ...states, ...processes].join('\n');
  }

  /** Removes the folder; fails when something is left over. */
  close(): void {
    let left = this.traces();
    for (let tries = 0; left !== this.#before && tries < 40; tries += 1) {
      spawnSync('sleep', ['0.05']);
      left = this.traces();
    }
    rmSync(this.dir, { recursive: true, force: true });
    assert.equal(left, this.#before, 'something is left over');
  }
}

function children(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return [];
  }
}

/** A config.json like Docker's, without seccomp and with a private network. */
export class Config {
  readonly process: JsonObject;
  readonly linux: JsonObject;
  readonly mounts: JsonObject[];
  readonly root: JsonObject;

  constructor(rootfs: string, args: string[]) {
    this.process = {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args,
      env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      cwd: '/',
      capabilities: { bounding: CAPS, effective: CAPS, permitted: CAPS },
    };
    this.mounts = mounts();
    this.linux = {
      namespaces: NAMESPACES,
      maskedPaths: ['/proc/acpi', '/proc/kcore', '/proc/keys', '/proc/timer_list', '/sys/firmware'],
      readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
    };
    this.root = {
      ociVersion: '1.0.2',
      hostname: 'contract',
      root: { path: rootfs, readonly: false },
      process: this.process,
      mounts: this.mounts,
      linux: this.linux,
    };
  }
}

function mounts(): JsonObject[] {
  const mount = (destination: string, type: string, ...options: string[]): JsonObject => ({
    destination,
    type,
    source: type,
    options,
  });
  return [
    mount('/proc', 'proc', 'nosuid', 'noexec', 'nodev'),
    mount('/dev', 'tmpfs', 'nosuid', 'strictatime', 'mode=755', 'size=65536k'),
    mount(
      '/dev/pts',
      'devpts',
      'nosuid',
      'noexec',
      'newinstance',
      'ptmxmode=0666',
      'mode=0620',
      'gid=5',
    ),
    mount('/sys', 'sysfs', 'nosuid', 'noexec', 'nodev', 'ro'),
    mount('/sys/fs/cgroup', 'cgroup', 'ro', 'nosuid', 'noexec', 'nodev'),
    mount('/dev/mqueue', 'mqueue', 'nosuid', 'noexec', 'nodev'),
    mount('/dev/shm', 'tmpfs', 'nosuid', 'noexec', 'nodev', 'mode=1777', 'size=67108864'),
  ];
}
