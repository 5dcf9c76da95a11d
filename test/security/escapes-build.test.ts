/** The known escapes by way of images' claims and of builds, each tried on ours: volumes, mounts of RUN, the cache, labels. The numbers are those of the table of known escapes. */

import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { archiveOf } from '../../scripts/lib/images.ts';
import { cachedSteps, makeContext, type Context, type Files } from '../support/build.ts';
import {
  startTestEngine,
  type EngineMode,
  type Result,
  type TestEngine,
} from '../support/engine.ts';
import { loadEvilImage } from '../support/evil-image.ts';
import type { TarEntry } from '../support/tar.ts';
import { assertTraces, settledTraces, until, type Traces } from '../support/traces.ts';

for (const mode of ['system', 'rootless'] as const) {
  describe(`known escapes of builds in mode ${mode}`, () => suite(mode));
}

const UP = '../../../../../../../../..';

/** Labels that some tool takes orders from, and names of our own. */
const ORDERS: Readonly<Record<string, string>> = {
  'org.pinnace.single-id': 'true',
  'org.pinnace.config-hash': 'x',
  'com.docker.volume.anonymous': '',
  'devcontainer.metadata': '[{"privileged":true,"mounts":["source=/,target=/host,type=bind"]}]',
  'io.containerd.runc.v2.group': 'x',
  'io.podman.annotations.privileged': 'TRUE',
  'run.oci.handler': 'wasm',
  'run.oci.hooks.stderr': '/tmp/pinnace-escaped',
  'org.opencontainers.image.stopSignal': '0',
  image: 'other',
  name: 'other',
  exitCode: '77',
  'line\nbreak\u001b[2J': 'x\r\n\u0000y',
};

function suite(mode: EngineMode): void {
  let engine: TestEngine;
  let outside: string;
  let canary: string;
  const contexts: Context[] = [];
  const docker = (...args: string[]): Promise<string> => engine.docker(...args);
  const run = (...args: string[]): Promise<Result> => engine.tryDocker(['run', '--rm', ...args]);
  const context = (files: Files): Context => {
    const made = makeContext(engine, files);
    contexts.push(made);
    return made;
  };
  /** What the links lead to in their own tree: a path that is there and on the host too tells where it was resolved. */
  const twin = (): TarEntry[] => [{ name: `${outside.slice(1)}/canary`, content: 'inside\n' }];
  const unharmed = (): void => {
    assert.equal(readFileSync(canary, 'utf8'), 'alive');
    assert.deepEqual(readdirSync(outside), ['canary']);
    assert.equal(statSync(canary).mode & 0o7777, 0o666);
  };
  /** What builds leave on purpose goes; nothing else is there then, and clearing removed nothing of the host's. */
  const cleared = async (base: Traces): Promise<void> => {
    await docker('image', 'prune', '-f');
    await docker('builder', 'prune', '-af');
    unharmed();
    await assertTraces(engine, base);
  };
  /** Builds and says everything that was printed; the host's content must not be in it. */
  const buildText = async (files: Files, ...args: string[]): Promise<string> => {
    const { status, stdout, stderr } = await context(files).build(['--no-cache', ...args]);
    const text = `${stdout}${stderr}`;
    assert.doesNotMatch(text, /^alive/m, 'the content of the host');
    unharmed();
    return `${text}\nstatus ${String(status)}\n`;
  };

  before(async () => {
    outside = mkdtempSync('/tmp/pinnace-outside-');
    // Whoever gets out could read and write there, whatever the engine's user and the umask are.
    chmodSync(outside, 0o777);
    canary = join(outside, 'canary');
    writeFileSync(canary, 'alive');
    chmodSync(canary, 0o666);
    engine = await startTestEngine(mode);
    await docker('load', '-i', archiveOf('busybox:latest'));
    const links = [
      { name: 'way', type: '2', link: outside },
      { name: 'up', type: '2', link: `${UP}${outside}` },
      { name: 'grip', type: '2', link: canary },
      { name: 'holder/', type: '5' },
      { name: 'holder/way', type: '2', link: `../${UP}${outside}` },
      ...twin(),
    ];
    assert.equal(await loadEvilImage(engine, 'links', { entries: links }), 0);
  });
  after(async () => {
    for (const made of contexts) made.remove();
    const left = await engine.close();
    rmSync(outside, { recursive: true, force: true });
    assert.deepEqual(left, [], 'nothing is left behind');
  });

  test('row 12: a VOLUME of an image copies no file of the host', async () => {
    const base = await settledTraces(engine);
    const entries: TarEntry[] = [
      { name: 'way', type: '2', link: outside },
      { name: 'up', type: '2', link: `${UP}${outside}` },
      { name: 'data/', type: '5' },
      { name: 'data/way', type: '2', link: outside },
      { name: 'self', type: '2', link: `/proc/self/root${outside}` },
      ...twin(),
    ];
    const paths = ['/way', '/up', `${UP}${outside}`, '/data/way/', '/self', '/data/../way'];
    let copied = false;
    for (const path of [...paths, '/proc/self/root', '/proc/self/fd', 'way']) {
      const config = { Volumes: { [path]: {} } };
      if ((await loadEvilImage(engine, 'row12', { entries, config })) !== 0) continue;
      const created = await engine.tryDocker(['create', '--name', 'row12', 'row12', 'true']);
      if (created.status !== 0) assert.match(created.stderr, /\S{3}/, path);
      else {
        await engine.tryDocker(['start', '-a', 'row12']);
        const look = 'cat /v/canary /v/*/canary; echo x > /v/escaped; echo looked';
        const names = await docker('volume', 'ls', '-q');
        for (const name of names.split('\n').filter((word) => word !== '')) {
          const seen = await run('-v', `${name}:/v`, 'busybox', 'sh', '-c', look);
          assert.doesNotMatch(seen.stdout, /alive/, path);
          copied ||= seen.stdout.includes('inside');
        }
        const other = await run('--volumes-from', 'row12', 'busybox', 'cat', '/way/canary');
        assert.doesNotMatch(other.stdout, /alive/, path);
        await docker('rm', '-fv', 'row12');
      }
      unharmed();
      const named = await run('-v', 'row12:/way', '-v', 'row12:/data/way', 'row12', 'true');
      assert.doesNotMatch(named.stdout, /alive/);
      const seen = await run('-v', 'row12:/v', 'busybox', 'cat', '/v/canary');
      assert.doesNotMatch(seen.stdout, /alive/, path);
      await engine.tryDocker(['volume', 'rm', '-f', 'row12']);
      await docker('rmi', '-f', 'row12');
      unharmed();
    }
    assert.ok(copied, 'some volumes got what the image has there');
    assert.equal(await docker('volume', 'ls', '-q'), '');
    await assertTraces(engine, base);
  });

  test(
    'row 16: a mount below a cache mount that a parallel step swaps reaches nothing outside',
    { timeout: 240_000 },
    async () => {
      const base = await settledTraces(engine);
      const swap = `mkdir -p /c/d; rm -rf /c/l; ln -s ${UP}${outside} /c/l; touch /c/ready; while :; do mv /c/d /c/t; mv /c/l /c/d; mv /c/d /c/l; mv /c/t /c/d; done`;
      const abort = new AbortController();
      const swapper = context({
        Dockerfile: `FROM busybox\nRUN --mount=type=cache,id=row16,target=/c ${swap}\n`,
      }).build(['--no-cache'], { signal: abort.signal, timeout: 200_000 });
      const cache = '--mount=type=cache,id=row16,target=/c';
      await until('the swapping step runs', async () => {
        const look = `FROM busybox\nRUN ${cache} ls /c\n`;
        return (await buildText({ Dockerfile: look })).includes('ready');
      });
      const outcomes = new Set<string>();
      for (let round = 0; round < 8 || (!outcomes.has('ran') && round < 100); round++) {
        for (const mount of [
          'type=cache,id=deep,target=/c/d/deep',
          'type=bind,source=own,target=/c/d/canary,rw',
          'type=tmpfs,target=/c/d/made',
        ]) {
          const step = `RUN ${cache} --mount=${mount} ls /c/d /c/d/deep; cat /c/d/canary; echo dead > /c/d/canary; echo x > /c/d/deep/escaped; echo ran`;
          const text = await buildText({ Dockerfile: `FROM busybox\n${step}\n`, own: 'own\n' });
          outcomes.add(/^ran$/m.test(text) ? 'ran' : 'refused');
        }
        // A bind from a stage, whose source is a way out, beside the swapping step.
        const Dockerfile = `FROM links AS from\nFROM busybox\nRUN ${cache} --mount=type=bind,from=from,source=/way,target=/c/d/m cat /c/d/m/canary\n`;
        await buildText({ Dockerfile });
      }
      abort.abort();
      await swapper;
      assert.ok(outcomes.has('ran'), 'some steps met the folder');
      await cleared(base);
    },
  );

  test('row 17: stand-ins of mounts and ids of caches make and remove nothing outside', async () => {
    const base = await settledTraces(engine);
    for (const from of ['links', 'busybox']) {
      for (const target of [
        '/way/canary',
        '/way/made',
        '/holder/way/canary',
        `${UP}${outside}/x`,
      ]) {
        const replace = `mv ${target.split('/')[1] ?? ''} /old; rm -rf /old; ln -sfn ${outside} /${target.split('/')[1] ?? ''}; rm -rf ${target}; true`;
        for (const mount of ['type=tmpfs', 'type=cache', 'type=bind,source=own,rw']) {
          const Dockerfile = `FROM ${from}\nRUN --mount=${mount},target=${target} ls -l ${target}; ${replace}\n`;
          await buildText({ Dockerfile, own: 'own\n' });
        }
      }
    }
    const ids = [`${UP}${outside}`, outside, '..', '.', '', `x/../../${UP}${outside}`, '%2e%2e/'];
    for (const id of ids) {
      const step = `RUN --mount=type=cache,id=${id},target=/c ls /c; cat /c/canary; echo dead > /c/canary; ln -sfn ${outside} /c/way; ln -sfn ${outside} /c/l; true`;
      await buildText({ Dockerfile: `FROM busybox\n${step}\n` });
    }
    await buildText({
      Dockerfile: 'FROM busybox\nCOPY . /x/\nRUN exit 1\n',
      'down/way': `-> ${outside}`,
      'down/up': `-> ${UP}${outside}`,
    });
    await cleared(base);
  });

  test('row 18: no image gets into the cache by what it claims', async () => {
    const base = await settledTraces(engine);
    const step = 'echo good > /row18';
    const busybox = await docker('inspect', '--format', '{{.Id}}', 'busybox');
    const command = ['/bin/sh', '-c', step];
    const claims = {
      parent: busybox,
      Parent: busybox,
      container_config: { Cmd: command },
      created: '2020-01-01T00:00:00Z',
      history: [
        { created: '2020-01-01T00:00:00Z', created_by: 'x' },
        { created: '2020-01-01T00:00:00Z', created_by: `/bin/sh -c ${step}` },
        { created: '2020-01-01T00:00:00Z', created_by: `RUN ${step} # buildkit` },
      ],
      'moby.buildkit.cache.v0': Buffer.from('{"layers":[]}').toString('base64'),
    };
    const entries = [{ name: 'row18', content: 'poisoned\n' }];
    for (const config of [{ Cmd: ['sh'] }, { Cmd: command }]) {
      assert.equal(await loadEvilImage(engine, 'row18', { entries, claims, config }), 0);
      const made = context({ Dockerfile: `FROM busybox\nRUN ${step}\n` });
      const first = await made.built('--cache-from', 'row18', '-t', 'row18b');
      assert.equal(cachedSteps(first), config.Cmd === command ? 1 : 0, first);
      assert.equal((await run('row18b', 'cat', '/row18')).stdout, 'good\n');
      assert.equal(cachedSteps(await made.built('-t', 'row18b')), 1, 'our own result counts');
      // The other way round: what was built on the poisoned image is not taken for busybox's.
      const upon = await context({ Dockerfile: `FROM row18\nRUN cat /row18 > /seen\n` }).built();
      assert.equal(cachedSteps(upon), 0);
      const own = `FROM busybox\nRUN cat /row18 > /seen || echo none > /seen\n`;
      await context({ Dockerfile: own }).built('-t', 'row18c');
      assert.equal((await run('row18c', 'cat', '/seen')).stdout, 'none\n');
      await docker('rmi', '-f', 'row18b', 'row18c', 'row18');
    }
    await cleared(base);
  });

  test('row 19: bind mounts of a build stay in their tree, and take no option that is not theirs', async () => {
    const base = await settledTraces(engine);
    const files = {
      way: `-> ${outside}`,
      up: `-> ${UP}${outside}`,
      grip: `-> ${canary}`,
      'deep/way': `-> ${UP}${outside}`,
      chain: '-> deep/way',
      [`${outside.slice(1)}/canary`]: 'inside\n',
    };
    let inside = 0;
    const sources = [
      ...['way', 'up', 'grip', 'deep/way', 'chain', 'way/canary', 'deep/way/canary'],
      ...[`${UP}${outside}`, `deep/${UP}${outside}/canary`, outside, canary],
    ];
    const look = `cat /m /m/canary; echo dead > /m; echo dead > /m/canary; echo x > /m/escaped; true`;
    for (const source of sources) {
      for (const options of ['', ',rw', ',from=links', ',from=links,rw']) {
        const Dockerfile = `FROM busybox\nRUN --mount=type=bind,source=${source},target=/m${options} ${look}\n`;
        const text = await buildText({ Dockerfile, ...files });
        assert.doesNotMatch(text, /engine\.sock|state\.db/);
        if (/^inside$/m.test(text)) inside += 1;
      }
      await buildText({
        Dockerfile: `FROM busybox\nCOPY --from=links ${source} /m/\nRUN cat /m/*; ls /m\n`,
      });
      await buildText({ Dockerfile: `FROM busybox\nCOPY ${source} /m/\nRUN cat /m/*\n`, ...files });
    }
    assert.ok(inside > 20, `${String(inside)} mounts showed what the tree has there`);
    for (const option of [
      'bind-propagation=rshared',
      'rshared',
      'shared',
      'z',
      'U',
      'relabel=shared',
      'suid',
      'dev',
      'exec',
    ]) {
      const Dockerfile = `FROM busybox\nRUN --mount=type=bind,target=/m,${option} true\n`;
      assert.match(await buildText({ Dockerfile }), /no key '[^]*status [1-9]/, option);
    }
    const words = 'ARG X="/m,rw,bind-propagation=rshared"\nRUN --mount=type=bind,target=$X';
    const show = `cat /proc/self/mountinfo; echo dead > "$X/own"; true`;
    const text = await buildText({ Dockerfile: `FROM busybox\n${words} ${show}\n`, own: 'own\n' });
    const mounts = text.split('\n').filter((line) => /^\d+ \d+ \d+:\d+ /.test(line));
    assert.ok(mounts.length > 5, text);
    assert.deepEqual(
      mounts.filter((line) => /shared:/.test(line)),
      [],
    );
    assert.match(text, /Read-only file system/);
    await cleared(base);
  });

  test('row 25: labels of an image are labels and nothing else', async () => {
    const entries = [{ name: 'file', content: 'x' }];
    assert.equal(await loadEvilImage(engine, 'plain', { entries }), 0);
    const config = { Labels: ORDERS };
    assert.equal(await loadEvilImage(engine, 'row25', { entries, config }), 0);
    const rights =
      'grep -E "Cap|Seccomp|NoNewPrivs|Uid|Gid" /proc/self/status; grep -c . /proc/self/mountinfo; ls /';
    const seen: string[] = [];
    for (const image of ['plain', 'row25']) {
      const id = await docker('create', '--name', `of-${image}`, image, 'sh', '-c', rights);
      const output = await engine.tryDocker(['start', '-a', id]);
      assert.equal(output.status, 0);
      const facts =
        '{{json .HostConfig}} {{json .Mounts}} {{.State.ExitCode}} {{.Config.StopSignal}}';
      seen.push(`${output.stdout}${await docker('inspect', '--format', facts, id)}`);
    }
    assert.equal(seen[1], seen[0], 'the same container but for its labels');
    const labels = await docker('inspect', '--format', '{{json .Config.Labels}}', 'of-row25');
    assert.deepEqual(JSON.parse(labels), ORDERS);
    let events = '';
    await until('the end is announced', async () => {
      events = await docker(
        ...['events', '--since', '10m', '--until', '0s', '--filter', 'container=of-row25'],
        ...['--filter', 'event=die', '--format', '{{json .Actor.Attributes}}'],
      );
      return events !== '';
    });
    const { image, name, exitCode } = JSON.parse(events) as Record<string, string>;
    assert.deepEqual([image, name, exitCode], ['row25', 'of-row25', '0']);
    assert.match(await docker('ps', '-a', '--filter', 'label=exitCode=77'), /of-row25/);
    const built = await buildText({ Dockerfile: `FROM row25\nRUN ${rights}\n` });
    const plain = await buildText({ Dockerfile: `FROM plain\nRUN ${rights}\n` });
    const facts = (text: string): string[] =>
      text.split('\n').filter((line) => /^(Cap|Seccomp|NoNew|Uid|Gid)/.test(line));
    assert.ok(facts(built).length > 5);
    assert.deepEqual(facts(built), facts(plain));
    await docker('rm', '-f', 'of-plain', 'of-row25');
    await docker('rmi', '-f', 'plain', 'row25');
    assert.equal(statSync(engine.dataRoot).isDirectory(), true);
    unharmed();
  });
}
