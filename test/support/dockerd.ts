/** A dockerd of its own, where one is installed, whose bridges and firewall rules stay in a network namespace that goes with it. */

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { end } from './children.ts';
import { command } from './engine.ts';

export interface Dockerd {
  /** unix://… */
  readonly address: string;
  /** The words before a command that is to run on its network: its loopback is not this machine's. */
  readonly beside: readonly string[];
  stop(): Promise<void>;
}

/** Undefined where dockerd is not installed or does not start. */
export async function startDockerd(dir: string): Promise<Dockerd | undefined> {
  if (!existsSync('/usr/sbin/dockerd')) return undefined;
  mkdirSync(dir, { recursive: true });
  const address = `unix://${dir}/docker.sock`;
  const roots = ['--data-root', `${dir}/data`, '--exec-root', `${dir}/exec`, '-p', `${dir}/pid`];
  const flags = [...roots, '-H', address, '--storage-driver', 'overlay2'];
  const script = 'ip link set lo up && exec /usr/sbin/dockerd "$@"';
  const words = ['-n', 'sh', '-c', script, 'dockerd', ...flags];
  const child = spawn('unshare', words, { stdio: 'ignore' });
  const env = { DOCKER_HOST: address };
  for (let tries = 0; tries < 200; tries += 1) {
    if ((await command(['docker', 'version'], { env })).status === 0)
      return {
        address,
        beside: ['nsenter', `--net=/proc/${String(child.pid)}/ns/net`],
        stop: () => end(child, 'SIGTERM'),
      };
    if (child.exitCode !== null) return undefined;
    await delay(100);
  }
  await end(child);
  return undefined;
}
