/** A Podman API service of its own, with roots and namespaces that go with it: networks, mounts, the watchers that outlive execs. It must never touch the machine's own Podman storage. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { end } from './children.ts';
import { command } from './engine.ts';

export interface Podman {
  /** unix://… */
  readonly address: string;
  /** Ends what still runs, then the service. */
  stop(): Promise<void>;
}

/** Undefined where podman is not installed or does not start. */
export async function startPodman(dir: string): Promise<Podman | undefined> {
  if (!existsSync('/usr/bin/podman')) return undefined;
  mkdirSync(dir, { recursive: true });
  const address = `unix://${dir}/podman.sock`;
  const log = join(dir, 'service.log');
  const own = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const words = ['sh', '-c', SCRIPT, log, ...flagsOf(dir, address)];
  const child = spawn('unshare', [...own, ...words], {
    stdio: 'ignore',
    env: { ...process.env, CONTAINERS_CONF: configuration(dir) },
  });
  const env = { DOCKER_HOST: address };
  for (let tries = 0; tries < 200; tries += 1) {
    if ((await command(['docker', 'version'], { env })).status === 0)
      return { address, stop: () => stop(child, env) };
    if (child.exitCode !== null) return undefined;
    await delay(100);
  }
  await end(child);
  return undefined;
}

/** The network namespaces of containers are bound below /run/netns: where nobody else sees it. */
const SCRIPT = `ip link set lo up
for dir in /run/netns /var/lib/cni; do mkdir -p $dir && mount -t tmpfs tmpfs $dir; done
exec podman "$@" >"$0" 2>&1`;

function flagsOf(dir: string, address: string): string[] {
  return [
    ...['--root', join(dir, 'data'), '--runroot', join(dir, 'run'), '--tmpdir', join(dir, 'tmp')],
    ...['--cgroup-manager', 'cgroupfs', '--events-backend', 'file'],
    ...['--network-config-dir', join(dir, 'networks')],
    ...['system', 'service', address, '--time', '0'],
  ];
}

/** Its own default is a limit on files that only the machine's first root may set. */
function configuration(dir: string): string {
  const path = join(dir, 'containers.conf');
  writeFileSync(path, '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]\n');
  return path;
}

async function stop(
  child: ReturnType<typeof spawn>,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const left = await command(['docker', 'ps', '-aq'], { env });
  const ids = left.stdout.split('\n').filter((id) => id !== '');
  if (ids.length > 0) await command(['docker', 'rm', '-f', ...ids], { env });
  await end(child);
}
