/** The stock docker command line against a real engine, in every mode: what a user types, and what docker would answer. */

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { archiveOf } from '../../scripts/lib/images.ts';
import { command, startTestEngine, type EngineMode, type TestEngine } from '../support/engine.ts';

for (const mode of ['system', 'rootless', 'single-id'] as const) {
  describe(`docker against the engine in mode ${mode}`, () => suite(mode));
}

function suite(mode: EngineMode): void {
  let engine: TestEngine;
  let work: string;
  const docker = (...args: string[]): Promise<string> => engine.docker(...args);

  before(async () => {
    work = mkdtempSync('/tmp/pinnace-cli-');
    engine = await startTestEngine(mode);
    await docker('load', '-i', archiveOf('busybox:latest'));
  });
  after(async () => {
    rmSync(work, { recursive: true, force: true });
    assert.deepEqual(await engine.close(), [], 'nothing is left behind');
  });

  test('version and info name the engine and speak API 1.51 at most', async () => {
    assert.match(await docker('version'), /Server:[\s\S]*API version/);
    assert.match(await docker('info'), /Server Version/);
    assert.equal(
      await docker('version', '--format', '{{.Client.APIVersion}}').then((text) =>
        /^1\.\d+$/.test(text),
      ),
      true,
    );
  });

  test('a loaded image is listed, inspected, tagged and has a history', async () => {
    assert.match(await docker('images'), /busybox\s+latest/);
    assert.equal(
      await docker('inspect', '--format', '{{.Os}}/{{index .Config.Cmd 0}}', 'busybox'),
      'linux/sh',
    );
    await docker('tag', 'busybox', 'example.org/boat:1');
    assert.match(
      await docker('images', '--format', '{{.Repository}}:{{.Tag}}'),
      /example\.org\/boat:1/,
    );
    assert.match(await docker('history', 'busybox'), /busybox-static/);
    assert.match(await docker('rmi', 'example.org/boat:1'), /Untagged: example\.org\/boat:1/);
  });

  test('run answers the output and the exit status of the program', async () => {
    assert.equal(await docker('run', '--rm', 'busybox', 'echo', 'ahoy'), 'ahoy');
    assert.equal(
      (await engine.tryDocker(['run', '--rm', 'busybox', 'sh', '-c', 'exit 42'])).status,
      42,
    );
    const both = await engine.tryDocker([
      'run',
      '--rm',
      '--network',
      'none',
      'busybox',
      'sh',
      '-c',
      'echo out; echo err >&2',
    ]);
    assert.deepEqual([both.stdout, both.stderr], ['out\n', 'err\n']);
  });

  test('run tells a missing program (127) from one that cannot be run (126) and a missing image (125)', async () => {
    assert.equal(
      (await engine.tryDocker(['run', '--rm', 'busybox', 'no-such-program'])).status,
      127,
    );
    assert.equal((await engine.tryDocker(['run', '--rm', 'busybox', '/etc/passwd'])).status, 126);
    const missing = await engine.tryDocker(['run', '--rm', '--pull', 'never', 'no-such-image']);
    assert.equal(missing.status, 125);
    assert.match(missing.stderr, /No such image: no-such-image:latest/);
    assert.equal(await docker('ps', '-aq'), '', 'failed containers are gone');
  });

  test('standard input reaches the program and ends', async () => {
    const result = await engine.tryDocker(['run', '--rm', '-i', 'busybox', 'cat'], {
      input: 'one\ntwo\n',
    });
    assert.equal(result.stdout, 'one\ntwo\n');
  });

  test('a megabyte passes through stdin and stdout unchanged', async () => {
    const data = Buffer.alloc(1_000_000, 'abcdefghij\n');
    const result = await engine.tryDocker(['run', '--rm', '-i', 'busybox', 'md5sum'], {
      input: data,
    });
    const local = await command(['md5sum'], { input: data });
    assert.equal(result.stdout, local.stdout);
  });

  test('with -it the program has a terminal of the right size', async () => {
    const result = await engine.tryDocker([], {});
    assert.ok(result.status >= 0);
    const line = `stty rows 33 cols 99; docker run --rm -it busybox sh -c 'tty; stty size'`;
    const typed = await command(['script', '-qec', line, '/dev/null'], {
      env: { DOCKER_HOST: engine.address, DOCKER_CONFIG: join(work, '.docker'), TERM: 'xterm' },
    });
    assert.match(typed.stdout, /\/dev\/(console|pts\/0)/);
    assert.match(typed.stdout, /33 99/);
  });

  test('environment, working directory, user, entrypoint and host name are as asked', async () => {
    assert.equal(
      await docker(
        'run',
        '--rm',
        '-e',
        'A=1 2',
        '-e',
        'B=x',
        'busybox',
        'sh',
        '-c',
        'echo "$A $B"',
      ),
      '1 2 x',
    );
    assert.equal(
      await docker('run', '--rm', '-w', '/made/for/it', 'busybox', 'pwd'),
      '/made/for/it',
    );
    assert.equal(
      await docker('run', '--rm', '--entrypoint', '/bin/echo', 'busybox', 'entered'),
      'entered',
    );
    assert.equal(await docker('run', '--rm', '-h', 'boat', 'busybox', 'hostname'), 'boat');
    if (mode !== 'single-id') {
      assert.equal(
        await docker(
          'run',
          '--rm',
          '-u',
          '33:100',
          'busybox',
          'sh',
          '-c',
          'echo $(id -u):$(id -g)',
        ),
        '33:100',
      );
      assert.equal(await docker('run', '--rm', '-u', 'nobody', 'busybox', 'id', '-u'), '65534');
    }
    const wrong = await engine.tryDocker(['run', '--rm', '-u', 'nosuchuser', 'busybox', 'true']);
    assert.notEqual(wrong.status, 0);
    assert.match(wrong.stderr, /nosuchuser/);
  });

  test('--read-only, --tmpfs and --cap-drop hold', async () => {
    assert.match(
      (await engine.tryDocker(['run', '--rm', '--read-only', 'busybox', 'touch', '/x'])).stderr,
      /Read-only file system/,
    );
    assert.equal(
      await docker(
        'run',
        '--rm',
        '--read-only',
        '--tmpfs',
        '/scratch:size=1m',
        'busybox',
        'sh',
        '-c',
        'touch /scratch/x && echo ok',
      ),
      'ok',
    );
    const caps = async (...flags: string[]): Promise<string> =>
      (
        await docker('run', '--rm', ...flags, 'busybox', 'grep', 'CapEff', '/proc/self/status')
      ).split(/\s+/)[1] ?? '';
    assert.equal(await caps('--cap-drop', 'ALL'), '0000000000000000');
    assert.equal(await caps(), '00000000a80425fb');
    assert.equal(await caps('--cap-drop', 'ALL', '--cap-add', 'CHOWN'), '0000000000000001');
  });

  test('bind mounts show the host, read-only ones refuse writes', async () => {
    const shared = join(work, 'shared');
    mkdirSync(shared, { recursive: true });
    await command(['chmod', '-R', '777', work]);
    writeFileSync(join(shared, 'from-host'), 'hello');
    assert.equal(
      await docker('run', '--rm', '-v', `${shared}:/s:ro`, 'busybox', 'cat', '/s/from-host'),
      'hello',
    );
    assert.match(
      (await engine.tryDocker(['run', '--rm', '-v', `${shared}:/s:ro`, 'busybox', 'touch', '/s/x']))
        .stderr,
      /Read-only/,
    );
    await docker(
      'run',
      '--rm',
      '-v',
      `${shared}:/s`,
      'busybox',
      'sh',
      '-c',
      'echo back > /s/from-container',
    );
    assert.equal(readFileSync(join(shared, 'from-container'), 'utf8'), 'back\n');
    const owner = (
      await command(['stat', '-c', '%u', join(shared, 'from-container')])
    ).stdout.trim();
    assert.equal(owner, String(engine.user?.uid ?? 0), 'root inside is the person outside');
  });

  test('a named volume keeps its content and takes the image content at first use', async () => {
    await docker('run', '--rm', '-v', 'cargo:/data', 'busybox', 'sh', '-c', 'echo kept > /data/f');
    assert.equal(
      await docker('run', '--rm', '-v', 'cargo:/data', 'busybox', 'cat', '/data/f'),
      'kept',
    );
    assert.equal(
      await docker(
        'run',
        '--rm',
        '-v',
        'fresh:/etc',
        'busybox',
        'grep',
        '-c',
        'nobody',
        '/etc/passwd',
      ),
      '1',
    );
    assert.match(await docker('volume', 'ls'), /cargo/);
    await docker('volume', 'rm', 'cargo', 'fresh');
  });

  test('a detached container is listed, inspected, executed in, stopped and removed', async () => {
    const id = await docker(
      'run',
      '-d',
      '--name',
      'one',
      '--label',
      'kind=test',
      'busybox',
      'sleep',
      '1000',
    );
    assert.match(id, /^[0-9a-f]{64}$/);
    assert.equal(
      await docker('inspect', '--format', '{{.State.Status}} {{.Name}} {{.Config.Image}}', 'one'),
      'running /one busybox',
    );
    assert.equal(await docker('exec', 'one', 'echo', 'inside'), 'inside');
    assert.equal((await engine.tryDocker(['exec', 'one', 'sh', '-c', 'exit 7'])).status, 7);
    assert.equal(
      (await engine.tryDocker(['exec', '-i', 'one', 'cat'], { input: 'fed' })).stdout,
      'fed',
    );
    assert.equal(
      await docker('exec', '-e', 'X=y', '-w', '/tmp', 'one', 'sh', '-c', 'echo $X $PWD'),
      'y /tmp',
    );
    assert.match(await docker('top', 'one'), /sleep 1000/);
    await docker('rename', 'one', 'two');
    await docker('stop', '-t', '0', 'two');
    assert.equal(
      await docker('inspect', '--format', '{{.State.Status}} {{.State.ExitCode}}', 'two'),
      'exited 137',
    );
    await docker('start', 'two');
    await docker('restart', '-t', '0', 'two');
    assert.equal(await docker('rm', '-f', 'two'), 'two');
    assert.match((await engine.tryDocker(['inspect', 'two'])).stderr, /No such object: two/);
  });

  test('ps filters by name, label, status and ancestor', async () => {
    await docker('run', '-d', '--name', 'alpha', '-l', 'tier=web', 'busybox', 'sleep', '1000');
    await docker('create', '--name', 'beta', '-l', 'tier=db', 'busybox', 'true');
    const names = async (...filter: string[]): Promise<string> =>
      (await docker('ps', '-a', ...filter.flatMap((one) => ['-f', one]), '--format', '{{.Names}}'))
        .split('\n')
        .sort()
        .join(' ');
    assert.equal(await names('name=alph'), 'alpha');
    assert.equal(await names('label=tier=db'), 'beta');
    assert.equal(await names('status=created'), 'beta');
    assert.equal(await names('status=running'), 'alpha');
    assert.equal(await names('ancestor=busybox'), 'alpha beta');
    assert.match((await engine.tryDocker(['ps', '-f', 'nonsense=1'])).stderr, /invalid filter/i);
    await docker('rm', '-f', 'alpha', 'beta');
  });

  test("a second container of one name is refused in docker's words", async () => {
    await docker('create', '--name', 'twin', 'busybox');
    const second = await engine.tryDocker(['create', '--name', 'twin', 'busybox']);
    assert.equal(second.status, 1);
    assert.match(second.stderr, /The container name "\/twin" is already in use by container/);
    await docker('rm', 'twin');
  });

  test('logs has every line, its tail, its times, and follows to the end', async () => {
    await docker(
      'run',
      '--name',
      'talker',
      'busybox',
      'sh',
      '-c',
      'for i in 1 2 3 4 5; do echo line $i; done; echo problem >&2',
    );
    const all = await engine.tryDocker(['logs', 'talker']);
    assert.equal(all.stdout, 'line 1\nline 2\nline 3\nline 4\nline 5\n');
    assert.equal(all.stderr, 'problem\n');
    assert.equal(
      (await engine.tryDocker(['logs', '--tail', '2', 'talker'])).stdout + 'problem\n',
      'line 5\nproblem\n',
    );
    assert.match(await docker('logs', '-t', '--tail', '1', 'talker').catch(() => ''), /^$|^\d{4}-/);
    await docker('rm', 'talker');
    await docker(
      'run',
      '-d',
      '--name',
      'slow',
      'busybox',
      'sh',
      '-c',
      'echo a; sleep 0.3; echo b; sleep 0.3; echo c',
    );
    assert.equal(await docker('logs', '-f', 'slow'), 'a\nb\nc');
    await docker('rm', '-f', 'slow');
  });

  test('signals reach the program, and wait answers its status', async () => {
    await docker(
      'run',
      '-d',
      '--name',
      'trapper',
      'busybox',
      'sh',
      '-c',
      'trap "exit 9" USR1; while :; do sleep 0.05; done',
    );
    const waiting = docker('wait', 'trapper');
    await command(['sleep', '0.3']);
    await docker('kill', '-s', 'USR1', 'trapper');
    assert.equal(await waiting, '9');
    await docker('rm', 'trapper');
  });

  test('attach joins a running container', async () => {
    await docker('run', '-d', '-i', '--name', 'echoer', 'busybox', 'cat');
    const attached = await engine.tryDocker(['attach', '--sig-proxy=false', 'echoer'], {
      input: 'over\n',
      timeout: 10_000,
    });
    assert.match(attached.stdout, /over/);
    await docker('rm', '-f', 'echoer');
  });

  test('cp carries files and folders both ways, running or stopped', async () => {
    const file = join(work, 'letter');
    writeFileSync(file, 'dear');
    await docker('create', '--name', 'box', 'busybox', 'sleep', '1000');
    await docker('cp', file, 'box:/tmp/');
    await docker('start', 'box');
    assert.equal(await docker('exec', 'box', 'cat', '/tmp/letter'), 'dear');
    await docker('exec', 'box', 'sh', '-c', 'mkdir -p /d/e && echo deep > /d/e/f');
    await docker('cp', 'box:/d', join(work, 'out'));
    assert.equal(readFileSync(join(work, 'out/e/f'), 'utf8'), 'deep\n');
    assert.match(
      (await engine.tryDocker(['cp', 'box:/nowhere', work])).stderr,
      /Could not find the file \/nowhere|no such file/i,
    );
    await docker('rm', '-f', 'box');
  });

  test("cp -a gives what it puts to the container's user", async () => {
    const file = join(work, 'parcel');
    writeFileSync(file, 'for you');
    const user = mode === 'single-id' ? '0:0' : '33:100';
    await docker('create', '-u', user, '--name', 'owned', 'busybox', 'sleep', '1000');
    await docker('cp', '-a', file, 'owned:/tmp/');
    await docker('start', 'owned');
    assert.equal(await docker('exec', 'owned', 'stat', '-c', '%u:%g', '/tmp/parcel'), user);
    await docker('rm', '-f', 'owned');
  });

  test('build runs every step once and takes it from the cache afterwards', async () => {
    const context = join(work, 'context');
    mkdirSync(context, { recursive: true });
    writeFileSync(
      join(context, 'Dockerfile'),
      'FROM busybox AS one\nARG WHO=world\nENV GREETING=hello\nWORKDIR /app\nCOPY data.txt ./\nRUN echo "$GREETING $WHO" > said && cat data.txt >> said\nFROM busybox\nCOPY --from=one /app/said /said\nLABEL a=b\nCMD ["cat", "/said"]\n',
    );
    writeFileSync(join(context, 'data.txt'), 'data\n');
    const first = await docker('build', '-t', 'made', context);
    assert.match(first, /Successfully tagged made:latest/);
    assert.equal(await docker('run', '--rm', 'made'), 'hello world\ndata');
    const second = await docker('build', '-t', 'made', context);
    assert.match(second, /Using cache/);
    assert.doesNotMatch(second, /Running in/);
    writeFileSync(join(context, 'data.txt'), 'other\n');
    await docker('build', '-t', 'made', '--build-arg', 'WHO=you', context);
    assert.equal(await docker('run', '--rm', 'made'), 'hello you\nother');
    await docker('rmi', '-f', 'made');
  });

  test('--no-cache does every step anew, once each, and later builds use its results', async () => {
    const context = join(work, 'anew');
    mkdirSync(context, { recursive: true });
    const dockerfile = [
      'FROM busybox AS one',
      'WORKDIR /shared',
      'RUN date +%N > one',
      'FROM busybox',
      'WORKDIR /shared',
      'RUN date +%N > two',
      'COPY --from=one /shared/one .',
    ];
    writeFileSync(join(context, 'Dockerfile'), `${dockerfile.join('\n')}\n`);
    const first = await docker('build', '-q', context);
    const anew = await docker('build', '-q', '--no-cache', context);
    assert.notEqual(anew, first);
    assert.equal(await docker('build', '-q', context), anew);
    await docker('rmi', '-f', first, anew);
  });

  test('a failing step ends the build with its status and leaves no image', async () => {
    const context = join(work, 'broken');
    mkdirSync(context, { recursive: true });
    writeFileSync(join(context, 'Dockerfile'), 'FROM busybox\nRUN echo before; exit 3\n');
    const failed = await engine.tryDocker(['build', '-t', 'broken', context]);
    assert.notEqual(failed.status, 0);
    assert.match(failed.stdout + failed.stderr, /returned a non-zero code: 3/);
    assert.equal(await docker('images', '-q', 'broken'), '');
    assert.equal(await docker('ps', '-aq'), '');
  });

  test('save and load carry an image over', async () => {
    const archive = join(work, 'saved.tar');
    await docker('tag', 'busybox', 'carried:1');
    const id = await docker('inspect', '--format', '{{.Id}}', 'carried:1');
    await docker('save', '-o', archive, 'carried:1');
    await docker('rmi', 'carried:1');
    assert.match(await docker('load', '-i', archive), /Loaded image: carried:1/);
    assert.equal(await docker('inspect', '--format', '{{.Id}}', 'carried:1'), id);
    await docker('rmi', 'carried:1');
  });

  test('events tells the life of a container in order', async () => {
    const since = String(Math.floor(Date.now() / 1000));
    await docker('run', '--rm', '--name', 'eventful', 'busybox', 'true');
    await command(['sleep', '1.1']);
    const until = String(Math.floor(Date.now() / 1000));
    const lines = await docker(
      'events',
      '--since',
      since,
      '--until',
      until,
      '--filter',
      'container=eventful',
      '--format',
      '{{.Action}}',
    );
    const actions = lines
      .split('\n')
      .filter((action) => ['create', 'attach', 'start', 'die', 'destroy'].includes(action));
    assert.deepEqual(actions, ['create', 'attach', 'start', 'die', 'destroy']);
  });

  test('the default network is a bridge of the engine, and the host network is the host', async () => {
    const result = await engine.tryDocker(['run', '--rm', 'busybox', 'ip', '-o', '-4', 'addr']);
    assert.equal(result.stderr, '');
    assert.match(result.stdout, /eth0\s+inet (172|192)\./);
    const gateway = await docker(
      'network',
      'inspect',
      '--format',
      '{{(index .IPAM.Config 0).Gateway}}',
      'bridge',
    );
    assert.match(
      await docker('run', '--rm', 'busybox', 'ip', 'route'),
      new RegExp(`^default via ${gateway.replaceAll('.', '\\.')} dev eth0`, 'm'),
    );
    const none = await docker('run', '--rm', '--network', 'none', 'busybox', 'ip', '-o', 'link');
    assert.doesNotMatch(none, /eth0/);
    const hosted = await docker(
      'run',
      '--rm',
      '--network',
      'host',
      'busybox',
      'cat',
      '/proc/net/dev',
    );
    assert.equal(
      hosted.split('\n').length,
      readFileSync('/proc/net/dev', 'utf8').trimEnd().split('\n').length,
    );
  });
}
