/** Starting containers: the native runtime against crun, the engine through the docker command line against dockerd and podman, and what idling costs. */

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { archiveOf, makeImages } from '../../scripts/lib/images.ts';
import { ensurePackages } from '../../scripts/lib/debian.ts';
import { command, ROOT, startTestEngine, type TestEngine } from '../support/engine.ts';
import { median, medians, type Row, type Timed } from './measure.ts';

const RUNS = 15;
const NATIVE = join(ROOT, 'out', 'native', 'pinnace-native');

/** Every figure of the "run" suite. Needs root. */
export async function bench(): Promise<Row[]> {
  await ensurePackages(['crun', 'busybox-static']);
  await makeImages(['busybox:latest']);
  const dir = mkdtempSync('/tmp/pinnace-bench-');
  const engine = await startTestEngine('system');
  const peer = await startDockerd(join(dir, 'dockerd'));
  try {
    await engine.docker('load', '-i', archiveOf('busybox:latest'));
    return [
      ...(await runtimeRows(dir)),
      ...(await engineRows(engine, peer)),
      ...(await podmanRows(engine, join(dir, 'podman'))),
      ...(await memoryRows(engine)),
    ];
  } finally {
    await peer?.stop();
    await engine.close();
    execFileSync('rm', ['-rf', '--one-file-system', dir]);
  }
}

async function runtimeRows(dir: string): Promise<Row[]> {
  const bundle = makeBundle(join(dir, 'bundle'));
  const run = (binary: string, id: string): string =>
    `i=0; exec ${binary} --root ${dir}/${id}-state run --bundle ${bundle} ${id}`;
  // crun refuses a v2 hierarchy that holds only hugetlb: it gets a mount namespace with hugetlb as v1; so does ours, to be fair.
  const setup =
    'mount --make-rprivate / && { [ ! -d /sys/fs/cgroup/unified ] || { mkdir -p /sys/fs/cgroup/hugetlb; umount /sys/fs/cgroup/unified; mount -t cgroup -o hugetlb cgroup /sys/fs/cgroup/hugetlb; }; }; ';
  const inside = (script: string): string[] => ['unshare', '-m', 'sh', '-c', `${setup}${script}`];
  const loop = (binary: string, id: string): string =>
    `${setup}n=0; while [ $n -lt 20 ]; do ${binary} --root ${dir}/${id}-state run --bundle ${bundle} ${id}-$n </dev/null || exit 1; n=$((n+1)); done`;
  await medians([{ name: 'warm', words: inside(run(NATIVE, 'warm')) }], 1);
  const commands: Timed[] = [
    { name: 'ours', words: ['unshare', '-m', 'sh', '-c', loop(NATIVE, 'ours')] },
    { name: 'crun', words: ['unshare', '-m', 'sh', '-c', loop('crun', 'crun')] },
  ];
  const times = await medians(commands, RUNS);
  const [ours, crun] = [(times.get('ours') ?? NaN) / 20, (times.get('crun') ?? NaN) / 20];
  return [
    {
      what: 'native run of a bundle',
      value: ours,
      unit: 'ms',
      peer: 'crun',
      peerValue: crun,
      ratio: ours / crun,
      limit: 1.2,
    },
  ];
}

function makeBundle(bundle: string): string {
  const root = join(bundle, 'rootfs');
  for (const name of ['bin', 'proc', 'sys', 'dev', 'etc', 'tmp'])
    mkdirSync(join(root, name), { recursive: true });
  execFileSync('cp', ['/bin/busybox', join(root, 'bin', 'busybox')]);
  execFileSync('ln', ['-s', 'busybox', join(root, 'bin', 'true')]);
  execFileSync('crun', ['spec'], { cwd: bundle });
  const config = JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8')) as {
    process: { args: string[]; terminal: boolean };
  };
  config.process.args = ['/bin/true'];
  config.process.terminal = false;
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(config));
  return bundle;
}

async function engineRows(engine: TestEngine, peer: Peer | undefined): Promise<Row[]> {
  const docker = (address: string, ...words: string[]): Pick<Timed, 'words' | 'env'> => ({
    words: ['docker', ...words],
    env: { DOCKER_HOST: address },
  });
  const run = ['run', '--rm', '--network', 'none', 'busybox', 'true'];
  const exec = ['exec', 'bench', 'true'];
  const sides: [string, string][] = [
    ['ours', engine.address],
    ...(peer === undefined ? [] : [['dockerd', peer.address] as [string, string]]),
  ];
  for (const [, address] of sides) {
    const up = await command(
      ['docker', 'run', '-d', '--name', 'bench', '--network', 'none', 'busybox', 'sleep', '100000'],
      { env: { DOCKER_HOST: address } },
    );
    if (up.status !== 0) throw new Error(up.stderr);
  }
  const rows: Row[] = [];
  for (const [what, words, limit] of [
    ['docker run --rm --network none busybox true', run, 0.25],
    ['docker exec', exec, 0.5],
  ] as const) {
    const times = await medians(
      sides.map(([name, address]) => ({ name, ...docker(address, ...words) })),
      RUNS,
    );
    const ours = times.get('ours') ?? NaN;
    const theirs = times.get('dockerd');
    rows.push({
      what,
      value: ours,
      unit: 'ms',
      limit,
      ...(theirs === undefined ? {} : { peer: 'dockerd', peerValue: theirs, ratio: ours / theirs }),
    });
  }
  for (const [, address] of sides)
    await command(['docker', 'rm', '-f', 'bench'], { env: { DOCKER_HOST: address } });
  return rows;
}

/** podman through its own command line, where it is installed: for orientation, without a limit. */
async function podmanRows(engine: TestEngine, dir: string): Promise<Row[]> {
  if (!existsSync('/usr/bin/podman')) return [];
  const podman = [
    'podman',
    '--root',
    `${dir}/root`,
    '--runroot',
    `${dir}/run`,
    '--cgroup-manager=cgroupfs',
  ];
  const loaded = await command([...podman, 'load', '-q', '-i', archiveOf('busybox:latest')]);
  if (loaded.status !== 0) throw new Error(`podman: ${loaded.stderr}`);
  const run = ['run', '--rm', '--network', 'none'];
  const times = await medians(
    [
      {
        name: 'ours',
        words: ['docker', ...run, 'busybox', 'true'],
        env: { DOCKER_HOST: engine.address },
      },
      // podman raises limits by default that not every root may raise.
      {
        name: 'podman',
        words: [
          ...podman,
          ...run,
          '--ulimit',
          'nofile=1024:1024',
          '--ulimit',
          'nproc=1024:1024',
          'localhost/busybox',
          'true',
        ],
      },
    ],
    RUNS,
  ).finally(() => command(['umount', '-l', `${dir}/root/overlay`])); // its store, mounted on itself
  const [ours, theirs] = [times.get('ours') ?? NaN, times.get('podman') ?? NaN];
  return [
    {
      what: 'run --rm --network none busybox true',
      value: ours,
      unit: 'ms',
      peer: 'podman',
      peerValue: theirs,
      ratio: ours / theirs,
    },
  ];
}

async function memoryRows(engine: TestEngine): Promise<Row[]> {
  await engine.docker('run', '-d', '--name', 'idle', 'busybox', 'sleep', '100000');
  await delay(1000);
  const samples: number[] = [];
  for (const file of globSync(join(engine.runRoot, 'shims', '*', 'shim.json'))) {
    const { shimPid } = JSON.parse(readFileSync(file, 'utf8')) as { shimPid: number };
    samples.push(kilobytes(`/proc/${shimPid}/smaps_rollup`, 'Pss') / 1000);
  }
  await engine.docker('rm', '-f', 'idle');
  await delay(3000);
  const engineRss = kilobytes(`/proc/${await engine.pid()}/status`, 'VmRSS') / 1000;
  return [
    { what: 'engine, idle, resident', value: engineRss, unit: 'MB', limit: 90 },
    {
      what: 'an idle container beyond its own process (PSS)',
      value: median(samples),
      unit: 'MB',
      limit: 1.5,
    },
  ];
}

function kilobytes(file: string, key: string): number {
  return Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(readFileSync(file, 'utf8'))?.[1] ?? NaN);
}

interface Peer {
  readonly address: string;
  stop(): Promise<void>;
}

/** A private dockerd where one is installed. */
async function startDockerd(dir: string): Promise<Peer | undefined> {
  if (!existsSync('/usr/sbin/dockerd')) return undefined;
  mkdirSync(dir, { recursive: true });
  const address = `unix://${dir}/docker.sock`;
  const flags = [
    '--data-root',
    `${dir}/data`,
    '--exec-root',
    `${dir}/exec`,
    '-p',
    `${dir}/pid`,
    '-H',
    address,
    '--storage-driver',
    'overlay2',
    '--bridge',
    'none',
    '--iptables=false',
  ];
  const child = spawn('/usr/sbin/dockerd', flags, { stdio: 'ignore' });
  for (let tries = 0; tries < 200; tries += 1) {
    if ((await command(['docker', 'version'], { env: { DOCKER_HOST: address } })).status === 0)
      break;
    if (child.exitCode !== null) return undefined;
    await delay(100);
  }
  const loaded = await command(['docker', 'load', '-i', archiveOf('busybox:latest')], {
    env: { DOCKER_HOST: address },
  });
  if (loaded.status !== 0) throw new Error(`dockerd: ${loaded.stderr}`);
  return { address, stop: () => stopDockerd(child, dir) };
}

async function stopDockerd(child: ChildProcess, dir: string): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await gone;
  rmSync(dir, { recursive: true, force: true });
}
