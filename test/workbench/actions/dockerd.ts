/** A window on a dockerd of its own: what `withWorkbench` is for our engine. The dockerd and its registry live in a network namespace that goes with them. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { ensurePackages } from '../../../scripts/lib/debian.ts';
import { archiveOf, makeImages } from '../../../scripts/lib/images.ts';
import { end } from '../../support/children.ts';
import { type Dockerd, startDockerd } from '../../support/dockerd.ts';
import { command } from '../../support/engine.ts';
import { until } from '../parts/patience.ts';
import { type Bench, type Rig, type RigOptions, withWorkbench } from '../rig.ts';

/** The name in the Engines view and the status bar. */
export const NAME = 'Harbour';
/** Of the registry, as the dockerd calls it; docker takes loopback without TLS. */
export const REGISTRY = '127.0.0.1:5000';

/** Its tests get a bench whose `docker` and `address` are the dockerd's, with busybox in it, and a window that shows it. */
export function withDockerd(
  options: Pick<RigOptions, 'folder'> & { readonly registry?: boolean } = {},
): Rig {
  const dir = mkdtempSync('/tmp/pinnace-docker-');
  const address = `unix://${dir}/docker.sock`;
  const docker = async (...args: string[]): Promise<string> => {
    const env = { DOCKER_HOST: address, DOCKER_BUILDKIT: '0', DOCKER_CONFIG: join(dir, 'client') };
    const result = await command(['docker', ...args], { env, timeout: 120_000 });
    if (result.status !== 0) throw new Error(`docker ${args.join(' ')}: ${result.stderr}`);
    return result.stdout.trim();
  };
  let dockerd: Dockerd | undefined;
  let registry: ChildProcess | undefined;
  before(async () => {
    await makeImages(['busybox:latest']);
    dockerd = await startDockerd(dir);
    assert.ok(dockerd, 'install docker.io: its dockerd is needed');
    await docker('load', '-q', '-i', archiveOf('busybox:latest'));
    if (options.registry !== true) return;
    await ensurePackages(['docker-registry']);
    registry = startRegistry(dir, dockerd);
    await docker('tag', 'busybox', `${REGISTRY}/team/box:1`);
    await until('the registry takes an image', () =>
      docker('push', '-q', `${REGISTRY}/team/box:1`),
    );
    await docker('rmi', `${REGISTRY}/team/box:1`);
  });
  after(async () => {
    if (registry !== undefined) await end(registry, 'SIGTERM');
    await dockerd?.stop();
    rmSync(dir, { recursive: true, force: true });
  });
  const rig = withWorkbench({
    ...(options.folder === undefined ? {} : { folder: options.folder }),
    settings: { 'pinnace.engines': [{ name: NAME, address }] },
  });
  let chosen: Promise<void> | undefined;
  return {
    test: (name, work) => {
      rig.test(name, async (bench) => {
        await (chosen ??= choose(bench));
        await work({ ...bench, docker, address });
      });
    },
  };
}

function startRegistry(dir: string, { beside }: Dockerd): ChildProcess {
  const root = join(dir, 'registry');
  const config = join(dir, 'registry.yml');
  mkdirSync(root);
  writeFileSync(
    config,
    `version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: ${root}}}\nhttp: {addr: '${REGISTRY}'}\n`,
  );
  const [program, ...words] = [...beside, 'docker-registry', 'serve', config];
  return spawn(program, words, { stdio: 'ignore' });
}

async function choose({ workbench }: Bench): Promise<void> {
  await workbench.command('Pinnace: Choose Engine');
  await until('the engine is offered', async () =>
    (await workbench.quickInput.entries()).includes(NAME),
  );
  await workbench.quickInput.pick(NAME);
  await workbench.statusBar.item(new RegExp(NAME)).waitFor();
}
