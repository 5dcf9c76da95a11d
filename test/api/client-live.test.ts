/** The editor's engines and live holdings against real engines: ours, dockerd and podman. Changes come from the docker command line. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { archiveOf } from '../../scripts/lib/images.ts';
import type { ContainerSummary } from '../../src/lib/api/containers.ts';
import type { Cli } from '../../src/extension/engine/cli.ts';
import { createFleet, type Fleet } from '../../src/extension/engine/fleet.ts';
import { createLive, type Live } from '../../src/extension/live/live.ts';
import type { HoldingKind } from '../../src/extension/live/store.ts';
import { startDockerd } from '../support/dockerd.ts';
import { command, startTestEngine } from '../support/engine.ts';
import { startPodman } from '../support/podman.ts';

/** An engine and how it ends. */
interface Subject {
  readonly address: string;
  close(): Promise<void>;
}

const SUBJECTS: Readonly<Record<string, (dir: string) => Promise<Subject>>> = {
  pinnace: async () => {
    const engine = await startTestEngine('system');
    const close = async (): Promise<void> => assert.deepEqual(await engine.close(), []);
    return { address: engine.address, close };
  },
  dockerd: async (dir) => {
    const dockerd = await startDockerd(join(dir, 'dockerd'));
    assert.ok(dockerd !== undefined, 'install docker.io: its dockerd is needed');
    return { address: dockerd.address, close: () => dockerd.stop() };
  },
  podman: async (dir) => {
    const podman = await startPodman(join(dir, 'podman'));
    assert.ok(podman !== undefined, 'install podman: its service is needed');
    return { address: podman.address, close: () => podman.stop() };
  },
};

/** The bundled engine has no part in this: its roots hold nothing, and nobody asks for it. */
function fleetOf(dir: string, address: string): Fleet {
  const cli: Cli = { run: () => Promise.reject(new Error('the bundled engine was asked for')) };
  return createFleet({
    cli,
    environment: () => ({ PINNACE_DATA_ROOT: `${dir}/none`, PINNACE_RUN_ROOT: `${dir}/none` }),
    startArguments: () => [],
    surroundings: () => ({ env: { HOME: dir }, uid: 12_345, setting: [{ name: 'it', address }] }),
    chosen: () => address,
    remember: () => Promise.resolve(),
    log: () => undefined,
  });
}

/** How long the store may take to know what another client did; much more than it needs, for loaded machines. */
const KNOWN_WITHIN = 5_000;

for (const [name, start] of Object.entries(SUBJECTS)) {
  describe(`live holdings of ${name}`, () => {
    let dir: string;
    let subject: Subject;
    let fleet: Fleet;
    let live: Live;
    const log: string[] = [];
    const docker = async (...args: string[]): Promise<string> => {
      const env = { DOCKER_HOST: subject.address, DOCKER_BUILDKIT: '0' };
      const { status, stdout, stderr } = await command(['docker', ...args], { env });
      assert.equal(status, 0, `docker ${args.join(' ')}: ${stderr}`);
      return stdout.trim();
    };
    /** Milliseconds until the store is as it should be. */
    const until = async (what: string, holds: () => boolean): Promise<number> => {
      const began = performance.now();
      const done = Promise.withResolvers<undefined>();
      const look = (): void => {
        if (holds()) done.resolve(undefined);
      };
      const listeners = [live.onDidChange(look), live.onDidChangeState(look)];
      look();
      const late = AbortSignal.timeout(KNOWN_WITHIN);
      late.addEventListener('abort', () =>
        done.reject(new Error(`never: ${what}\n${log.join('\n')}`)),
      );
      await done.promise.finally(() => {
        for (const listener of listeners) listener.dispose();
      });
      return performance.now() - began;
    };
    const named = (wanted: string): ContainerSummary | undefined =>
      [...live.all('container').values()].find(({ Names }) => Names.includes(`/${wanted}`));
    const networksOf = (wanted: string): object => named(wanted)?.NetworkSettings.Networks ?? {};

    before(async () => {
      dir = mkdtempSync('/tmp/pinnace-live-');
      subject = await start(dir);
      await docker('load', '-q', '-i', archiveOf('busybox:latest'));
      fleet = fleetOf(dir, subject.address);
      live = createLive({ engines: fleet, log: (line) => log.push(line) });
      await fleet.find();
      await fleet.ready();
      await live.loaded();
    });
    after(async () => {
      live.dispose();
      fleet.dispose();
      await subject.close();
      await command(['umount', '-R', join(dir, 'root', 'vfs')]);
      rmSync(dir, { recursive: true, force: true });
    });

    test('the engine is known for what it is', () => {
      const kind = { pinnace: 'pinnace', dockerd: 'docker', podman: 'podman' }[name];
      assert.equal(fleet.active.entry.kind, kind);
      assert.equal(fleet.active.has('pinnace'), name === 'pinnace');
      assert.equal(fleet.active.has('build'), true);
      assert.equal(live.state, 'live');
    });

    test('what was there is held, and what another client does is known at once', async (t) => {
      assert.equal(live.all('image').size, 1);
      const times: Record<string, number> = {};
      const box = ['run', '-d', '--name', 'box', '--network', 'none'];
      await docker(...box, 'busybox', 'sleep', '600');
      times['run'] = await until('running', () => named('box')?.State === 'running');
      await docker('rename', 'box', 'crate');
      times['rename'] = await until('renamed', () => named('crate') !== undefined);
      await docker('stop', '-t', '0', 'crate');
      times['stop'] = await until('exited', () => named('crate')?.State === 'exited');
      await docker('rm', '-f', 'crate');
      times['rm'] = await until('gone', () => live.all('container').size === 0);
      t.diagnostic(`ms after the command's end: ${JSON.stringify(times)}`);
    });

    test('containers that end by themselves are known to have ended', async (t) => {
      const names = ['brief-1', 'brief-2', 'brief-3', 'brief-4'];
      for (const each of names)
        await docker('run', '-d', '--name', each, '--network', 'none', 'busybox', 'true');
      await docker('wait', ...names);
      const time = await until('all have', () =>
        names.every((each) => named(each)?.State === 'exited'),
      );
      t.diagnostic(`ms after the last end: ${String(time)}`);
      await docker('rm', ...names);
    });

    test('a container that joins a network is known to be on it', async () => {
      await docker('network', 'create', 'quay');
      await docker('run', '-d', '--name', 'tug', 'busybox', 'sleep', '600');
      await until('running', () => named('tug')?.State === 'running');
      await docker('network', 'connect', 'quay', 'tug');
      // Podman tells nobody of networks: whoever changes one asks again.
      if (name === 'podman') await live.refresh('container');
      await until('joined', () => Object.keys(networksOf('tug')).includes('quay'));
      await docker('rm', '-f', 'tug');
      await docker('network', 'rm', 'quay');
      if (name === 'podman') await live.refresh('network');
    });

    test('images, volumes and networks are followed too', async () => {
      const tags = (): string[] => [...live.all('image').values()].flatMap((each) => each.RepoTags);
      await docker('tag', 'busybox', 'other:1');
      await until('tagged', () => tags().some((tag) => tag.endsWith('other:1')));
      await docker('rmi', 'other:1');
      await until('untagged', () => !tags().some((tag) => tag.endsWith('other:1')));
      await docker('volume', 'create', 'jar');
      await until('volume', () => live.all('volume').has('jar'));
      await docker('volume', 'rm', 'jar');
      await until('no volume', () => !live.all('volume').has('jar'));
      const id = await docker('network', 'create', 'line');
      const held = (): boolean =>
        [...live.all('network').values()].some(({ Name }) => Name === 'line');
      // Podman tells nobody of networks: whoever changes one asks for them again.
      const silent = name === 'podman';
      if (silent) await live.refresh('network');
      await until(`network ${id}`, held);
      await docker('network', 'rm', 'line');
      if (silent) await live.refresh('network');
      await until('no network', () => !held());
    });

    test('a hundred containers that come and go are all known in the end', async () => {
      const ids = await Promise.all(
        Array.from({ length: 100 }, () => docker('create', '--network', 'none', 'busybox', 'true')),
      );
      await until('all', () => ids.every((id) => live.all('container').has(id)));
      await docker('rm', ...ids);
      await until('none', () => live.all('container').size === 0);
    });

    test('a refresh asks for everything of a kind', async () => {
      const kinds: HoldingKind[] = ['container', 'image', 'volume', 'network'];
      await Promise.all(kinds.map((kind) => live.refresh(kind)));
      assert.equal(live.all('image').size, 1);
    });
  });
}

test('an engine that ends and comes back is noticed by its socket, and its holdings with it', async () => {
  const engine = await startTestEngine('system');
  const fleet = fleetOf('/tmp/pinnace-none', engine.address);
  const log: string[] = [];
  const live = createLive({ engines: fleet, log: (line) => log.push(line) });
  const state = async (wanted: Live['state']): Promise<void> => {
    for (let tries = 0; live.state !== wanted; tries += 1) {
      assert.ok(tries < 500, `${live.state}, not ${wanted}: ${log.join('\n')}`);
      await delay(10);
    }
  };
  try {
    await fleet.find();
    await fleet.ready();
    await state('live');
    await engine.docker('load', '-q', '-i', archiveOf('busybox:latest'));
    await engine.pinnace('engine', 'stop');
    await state('off');
    assert.equal(live.all('image').size, 0);
    await engine.start();
    await state('live');
    assert.equal(live.all('image').size, 1);
    process.kill(await engine.pid(), 'SIGKILL');
    for (let tries = 0; live.state === 'live' && tries < 500; tries += 1) await delay(10);
    await engine.start();
    await state('live');
  } finally {
    live.dispose();
    fleet.dispose();
    assert.deepEqual(await engine.close(), []);
  }
});

test('the event stream of the editor does not keep an idle engine from its end', async () => {
  const engine = await startTestEngine('system');
  await engine.pinnace('engine', 'stop');
  await engine.pinnace('engine', 'start', '--mode', 'system', '--idle-exit', '1');
  const fleet = fleetOf('/tmp/pinnace-none', engine.address);
  const live = createLive({ engines: fleet, log: () => undefined });
  try {
    await fleet.find();
    await fleet.ready();
    await live.loaded();
    for (let tries = 0; live.state !== 'off'; tries += 1) {
      assert.ok(tries < 300, `still ${live.state} after 30 s`);
      await delay(100);
    }
  } finally {
    live.dispose();
    fleet.dispose();
    assert.deepEqual(await engine.close(), []);
  }
});
