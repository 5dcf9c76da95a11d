/** The pinnace command against its own engine: docker's syntax and output, dev containers, and what it says when something is wrong. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { archiveOf } from '../../scripts/lib/images.ts';
import { VERSION } from '../../src/lib/version.ts';
import { ROOT, startTestEngine, type Result, type TestEngine } from '../support/engine.ts';

for (const mode of ['system', 'rootless'] as const) {
  describe(`the pinnace command in mode ${mode}`, () => {
    let engine: TestEngine;
    let work: string;
    const run = (...args: string[]): Promise<Result> => engine.pinnace(...args);
    const ok = async (...args: string[]): Promise<string> => {
      const result = await run(...args);
      assert.equal(result.status, 0, `pinnace ${args.join(' ')}: ${result.stderr}${result.stdout}`);
      return result.stdout.trim();
    };

    before(async () => {
      engine = await startTestEngine(mode);
      work = mkdtempSync(join(engine.user?.home ?? '/tmp', 'work-'));
      for (const name of ['busybox:latest', 'node:24-bookworm-slim'] as const) {
        await engine.docker('load', '-q', '-i', archiveOf(name));
      }
    });
    after(async () => {
      rmSync(work, { recursive: true, force: true });
      assert.deepEqual(await engine.close(), [], 'nothing is left behind');
    });

    const own = (path: string): void => {
      if (engine.user !== undefined) chownTree(path, engine.user.uid);
    };

    test('run passes output, status and options', async () => {
      assert.equal(await ok('run', '--rm', '--network', 'none', 'busybox', 'echo', 'ahoy'), 'ahoy');
      assert.equal(
        await ok('run', '--rm', '-e', 'A=b', '-w', '/tmp', 'busybox', 'sh', '-c', 'echo $A $PWD'),
        'b /tmp',
      );
      assert.equal((await run('run', '--rm', 'busybox', 'sh', '-c', 'exit 5')).status, 5);
      assert.equal((await run('run', '--rm', 'busybox', 'no-such')).status, 127);
      const missing = await run('run', '--rm', '--pull', 'never', 'nothing:here');
      assert.equal(missing.status, 125);
      assert.match(missing.stderr, /No such image: nothing:here/);
    });

    test('a container is started, listed, entered, read, stopped and removed', async () => {
      const id = await ok(
        'run',
        '-d',
        '--name',
        'boat',
        'busybox',
        'sh',
        '-c',
        'echo ready; exec sleep 1000',
      );
      assert.match(id, /^[0-9a-f]{64}$/);
      assert.match(
        await ok('ps'),
        /^CONTAINER ID\s+IMAGE\s+COMMAND\s+CREATED\s+STATUS\s+PORTS\s+NAMES\n[0-9a-f]{12}\s+busybox\s+"sh -c 'echo ready; …"\s+.*Up .*boat$/,
      );
      assert.equal(await ok('ps', '--format', '{{.Names}} {{.State}}'), 'boat running');
      assert.equal((JSON.parse(await ok('ps', '--json')) as { Names: string }).Names, 'boat');
      assert.equal(await ok('ps', '-q', '-f', 'name=boat'), id.slice(0, 12));
      assert.equal(await ok('exec', 'boat', 'echo', 'inside'), 'inside');
      assert.equal((await run('exec', 'boat', 'sh', '-c', 'exit 4')).status, 4);
      assert.equal(await ok('logs', 'boat'), 'ready');
      assert.equal(await ok('inspect', '-f', '{{.State.Running}}', 'boat'), 'true');
      assert.equal(await ok('stop', '-t', '0', 'boat'), 'boat');
      assert.equal(await ok('start', 'boat'), 'boat');
      assert.equal(await ok('rm', '-f', 'boat'), 'boat');
      const gone = await run('inspect', 'boat');
      assert.equal(gone.status, 1);
      assert.match(gone.stderr, /No such object: boat/);
    });

    test('cp carries files both ways', async () => {
      await ok('run', '-d', '--name', 'crate', 'busybox', 'sleep', '1000');
      writeFileSync(join(work, 'letter'), 'dear');
      own(work);
      await ok('cp', join(work, 'letter'), 'crate:/tmp/renamed');
      assert.equal(await ok('exec', 'crate', 'cat', '/tmp/renamed'), 'dear');
      await ok('exec', 'crate', 'sh', '-c', 'mkdir -p /d/e; echo deep > /d/e/f');
      await ok('cp', 'crate:/d', join(work, 'copied'));
      assert.equal(readFileSync(join(work, 'copied', 'e', 'f'), 'utf8'), 'deep\n');
      assert.match((await run('cp', 'crate:/none', work)).stderr, /\/none/);
      await ok('rm', '-f', 'crate');
    });

    test('images are built, tagged, saved, loaded and removed', async () => {
      const context = join(work, 'context');
      mkdirSync(context);
      writeFileSync(
        join(context, 'Dockerfile'),
        'FROM busybox\nCOPY . /all\nRUN ls /all > /list\n',
      );
      writeFileSync(join(context, '.dockerignore'), 'secret\n');
      for (const file of ['secret', 'public']) writeFileSync(join(context, file), file);
      own(context);
      assert.match(await ok('build', '-t', 'mine:1', context), /Successfully tagged mine:1/);
      assert.doesNotMatch(await ok('run', '--rm', 'mine:1', 'cat', '/list'), /secret/);
      await ok('tag', 'mine:1', 'other:2');
      assert.match(await ok('images', '--format', '{{.Repository}}:{{.Tag}}'), /other:2/);
      await ok('save', '-o', join(work, 'mine.tar'), 'mine:1');
      await ok('rmi', 'mine:1', 'other:2');
      assert.match(await ok('load', '-i', join(work, 'mine.tar')), /Loaded image: mine:1/);
      await ok('rmi', 'mine:1');
      writeFileSync(join(context, 'Dockerfile'), 'FROM busybox\nRUNN x\n');
      const broken = await run('build', context);
      assert.equal(broken.status, 1);
      assert.match(broken.stderr, /line 2.*RUNN/s);
    });

    test('version, info, doctor and status answer for people and for programs', async () => {
      assert.match(
        await ok('version'),
        new RegExp(`Version:\\s+${VERSION.replaceAll('.', '\\.')}`),
      );
      assert.match(await ok('info'), /Storage Driver: /);
      assert.equal((JSON.parse(await ok('doctor', '--json')) as { mode: string }).mode, mode);
      assert.equal(
        (JSON.parse(await ok('engine', 'status', '--json')) as { mode: string }).mode,
        mode,
      );
    });

    test('events shows what has happened', async () => {
      const since = String(Math.floor(Date.now() / 1000) - 1);
      await ok('run', '--rm', '--name', 'seen', 'busybox', 'true');
      const until = String(Math.ceil(Date.now() / 1000));
      assert.match(
        await ok('events', '--since', since, '--until', until),
        /container start [0-9a-f]{64} \(.*name=seen/,
      );
    });

    test('up brings up the dev container of the example, exec works inside, and up again finds it', async () => {
      const folder = join(work, 'todo');
      cpSync(join(ROOT, 'examples', 'todo'), folder, { recursive: true });
      own(work);
      const up = JSON.parse(await ok('up', '--json', folder)) as Record<string, string>;
      assert.deepEqual(
        [up['outcome'], up['remoteUser'], up['remoteWorkspaceFolder']],
        ['created', 'node', '/workspaces/todo'],
      );
      const exec = (...words: string[]): Promise<string> =>
        ok('exec', '--workspace-folder', folder, ...words);
      assert.equal(
        await exec('sh', '-c', 'id -un; pwd; echo $DATA'),
        'node\n/workspaces/todo\n:memory:',
      );
      assert.match(await exec('node', '--test', '--test-reporter=tap'), /# pass 5\n# fail 0/);
      assert.equal(
        (JSON.parse(await ok('up', '--json', folder)) as Record<string, string>)['outcome'],
        'running',
      );
      await ok('stop', '-t', '1', up['containerId'] ?? '');
      assert.match(
        (await run('exec', '--workspace-folder', folder, 'true')).stderr,
        /is exited; run: pinnace up/,
      );
      assert.equal(
        (JSON.parse(await ok('up', '--json', folder)) as Record<string, string>)['outcome'],
        'started',
      );
      await ok('rm', '-f', up['containerId'] ?? '');
    });

    test('a failing postCreateCommand is named, and leaves no container', async () => {
      const folder = join(work, 'broken');
      mkdirSync(folder);
      writeFileSync(
        join(folder, '.devcontainer.json'),
        '{"image": "busybox", "postCreateCommand": "exit 9"}',
      );
      own(folder);
      const failed = await run('up', folder);
      assert.equal(failed.status, 1);
      assert.match(failed.stderr, /postCreateCommand failed with status 9/);
      assert.equal(await ok('ps', '-aq'), '');
    });

    test('wrong usage is status 2, wrong values name the flag', async () => {
      assert.equal((await run('nonsense')).status, 2);
      assert.match(
        (await run('run', '-m', 'much', 'busybox')).stderr,
        /--memory: invalid size: 'much'/,
      );
      assert.match((await run('up', join(work, 'nowhere'))).stderr, /nowhere does not exist/);
    });
  });
}

function chownTree(path: string, uid: number): void {
  execFileSync('chown', ['-R', `${uid}:${uid}`, path]);
}
