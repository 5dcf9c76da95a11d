/** `docker build` with the stock command line against a real engine: every instruction, the cache, and what a failing build says. */

import assert from 'node:assert/strict';
import { readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { archiveOf } from '../../scripts/lib/images.ts';
import { builtId, cachedSteps, makeContext, type Context, type Files } from '../support/build.ts';
import { command, startTestEngine, type EngineMode, type TestEngine } from '../support/engine.ts';

for (const mode of ['system', 'rootless', 'single-id'] as const) {
  describe(`docker build against the engine in mode ${mode}`, () => basics(mode));
}

for (const mode of ['system', 'rootless'] as const) {
  describe(`each part of docker build in mode ${mode}`, () => everything(mode));
}

function everything(mode: EngineMode): void {
  let engine: TestEngine;
  const contexts: Context[] = [];
  const context = (files: Files): Context => {
    const made = makeContext(engine, files);
    contexts.push(made);
    return made;
  };
  const run = (image: string, ...args: string[]): Promise<string> =>
    engine.docker('run', '--rm', image, ...args);
  const inspect = (image: string, format: string): Promise<string> =>
    engine.docker('inspect', '--format', format, image);

  before(async () => {
    engine = await startTestEngine(mode);
    await engine.docker('load', '-i', archiveOf('busybox:latest'));
  });
  after(async () => {
    for (const made of contexts) made.remove();
    assert.deepEqual(await engine.close(), [], 'nothing is left behind');
  });

  test('every metadata instruction reaches the configuration', async () => {
    const lines = [
      'FROM busybox',
      'ARG PORT=81',
      'ENV A=1 B="two words"',
      'LABEL a=b "c d"=e',
      'EXPOSE 80 $PORT/udp',
      'VOLUME /data /more',
      'USER nobody',
      'STOPSIGNAL SIGUSR1',
      'SHELL ["/bin/sh", "-ec"]',
      'HEALTHCHECK --interval=5s CMD true',
      'ONBUILD RUN touch /triggered',
      'ENTRYPOINT ["echo"]',
      'CMD ["hello"]',
    ];
    const made = context({ Dockerfile: `${lines.join('\n')}\n` });
    await made.built('-t', 'meta', '--build-arg', 'PORT=82', '--label', 'built=here');
    const config = JSON.parse(await inspect('meta', '{{json .Config}}')) as Record<string, unknown>;
    assert.deepEqual(config['Cmd'], ['hello']);
    assert.deepEqual(config['Entrypoint'], ['echo']);
    assert.deepEqual(Object.keys(config['ExposedPorts'] as object), ['80/tcp', '82/udp']);
    assert.deepEqual(Object.keys(config['Volumes'] as object), ['/data', '/more']);
    assert.equal(config['User'], 'nobody');
    assert.equal(config['StopSignal'], 'SIGUSR1');
    assert.deepEqual(config['OnBuild'], ['RUN touch /triggered']);
    assert.deepEqual(config['Labels'], { a: 'b', built: 'here', 'c d': 'e' });
    assert.ok((config['Env'] as string[]).includes('B=two words'));
    assert.equal(await run('meta'), 'hello');
  });

  test('ONBUILD triggers of the base run first and are gone afterwards', async () => {
    await context({
      Dockerfile: 'FROM busybox\nONBUILD RUN touch /triggered\nONBUILD COPY f /from-child\n',
    }).built('-t', 'trigger');
    const text = await context({ Dockerfile: 'FROM trigger\nRUN ls /triggered\n', f: 'f' }).built(
      '-t',
      'child',
    );
    assert.match(text, /# Executing 2 build triggers/);
    assert.equal(await run('child', 'cat', '/from-child'), 'f');
    assert.equal(await inspect('child', '{{json .Config.OnBuild}}'), 'null');
  });

  test('stages are built as far as needed, copied from, and chosen with --target', async () => {
    const made = context({
      Dockerfile: [
        'FROM busybox AS base',
        'RUN echo base > /base',
        'FROM base AS left',
        'RUN echo left > /l && chown 12:34 /l',
        'FROM base AS right',
        'RUN echo right > /r',
        'FROM busybox AS never',
        'RUN exit 9',
        'FROM busybox AS final',
        'COPY --from=left /l /base /out/',
        'COPY --from=2 --chown=5:6 --chmod=0640 /r /out/',
        'COPY --from=busybox:latest /bin/busybox /copied',
        '',
      ].join('\n'),
    });
    const text = await made.built('-t', 'stages', '--target', 'final');
    assert.ok(!text.includes('exit 9'));
    assert.equal(
      await run('stages', 'stat', '-c', '%n %u:%g %a', '/out/l', '/out/r'),
      '/out/l 12:34 644\n/out/r 5:6 640',
    );
    assert.match(await made.built('--target', 'right'), /Step 4\/4 : RUN echo right/);
    const missing = await made.build(['--target', 'nowhere']);
    assert.notEqual(missing.status, 0);
    assert.match(missing.stderr, /failed to reach build target nowhere in Dockerfile/);
  });

  test('the lines of stages that run side by side stay together and in order', async () => {
    const stage = (name: string): string =>
      `FROM busybox AS ${name}\nRUN for i in 1 2 3; do echo ${name}-$i; sleep 0.1; done\n`;
    const made = context({
      Dockerfile: `${stage('a')}${stage('b')}FROM scratch\nCOPY --from=a /bin/busybox /a\nCOPY --from=b /bin/busybox /b\n`,
    });
    const text = await made.built('--no-cache');
    const printed = text.split('\n').filter((line) => /^[ab]-\d$/.test(line));
    assert.deepEqual(printed, ['a-1', 'a-2', 'a-3', 'b-1', 'b-2', 'b-3']);
  });

  test('COPY takes files, folders, globs and heredocs, and leaves owners at root', async () => {
    const made = context({
      Dockerfile: [
        'FROM busybox',
        'WORKDIR /w',
        'COPY a.txt b.txt ./',
        'COPY dir named/',
        'COPY *.md /docs/',
        'COPY a.txt /renamed',
        'COPY ["with space", "/"]',
        'COPY <<EOF /here',
        'from $HOME-less heredoc',
        'EOF',
        '',
      ].join('\n'),
      'a.txt': 'a',
      'b.txt': 'b',
      'dir/sub/c': 'c',
      'one.md': '1',
      'two.md': '2',
      'with space': 's',
    });
    await made.built('-t', 'copies');
    assert.equal(
      await run(
        'copies',
        'sh',
        '-c',
        'cat a.txt b.txt named/sub/c /docs/one.md /docs/two.md /renamed "/with space"; echo; cat /here; stat -c %u:%g a.txt named /docs',
      ),
      'abc12as\nfrom -less heredoc\n0:0\n0:0\n0:0',
    );
  });

  test('ADD unpacks local archives and copies everything else', async () => {
    const made = context({
      Dockerfile: 'FROM busybox\nADD a.tar.gz /un/\nADD plain /plain\n',
      plain: 'p',
      'in/x': 'x',
    });
    const packed = await command([
      'tar',
      '-C',
      join(made.dir, 'in'),
      '-czf',
      join(made.dir, 'a.tar.gz'),
      '.',
    ]);
    assert.equal(packed.status, 0);
    await made.built('-t', 'adds');
    assert.equal(await run('adds', 'cat', '/un/x', '/plain'), 'xp');
  });

  test('.dockerignore and NAME.dockerignore keep files out', async () => {
    const made = context({
      Dockerfile: 'FROM busybox\nCOPY . /c\n',
      'Other.Dockerfile': 'FROM busybox\nCOPY . /c\n',
      '.dockerignore': 'secret\n*.log\n!keep.log\n',
      'Other.Dockerfile.dockerignore': 'keep.log\n',
      secret: 's',
      'x.log': 'x',
      'keep.log': 'k',
    });
    await made.built('-t', 'ignored');
    assert.equal(
      await run('ignored', 'sh', '-c', 'cd /c; ls secret x.log keep.log 2>/dev/null || true'),
      'keep.log',
    );
    await made.built('-t', 'other', '-f', join(made.dir, 'Other.Dockerfile'));
    assert.equal(
      await run('other', 'sh', '-c', 'cd /c; ls keep.log 2>/dev/null || echo none'),
      'none',
    );
  });

  test("WORKDIR makes folders, USER names are the image's, and RUN sees both", async () => {
    const made = context({
      Dockerfile:
        'FROM busybox\nRUN echo sailor:x:1234:1234::/:/bin/sh >> /etc/passwd\nUSER sailor\nWORKDIR /home/sailor/deep\nRUN touch mine && id -u && pwd\n',
    });
    const text = await made.built('-t', 'dirs', '--no-cache');
    assert.match(text, /\n1234\n\/home\/sailor\/deep\n/);
    assert.equal(await run('dirs', 'stat', '-c', '%U', 'mine'), 'sailor');
  });

  test('RUN takes heredocs, scripts with a shebang, and the exec form', async () => {
    const made = context({
      Dockerfile: [
        'FROM busybox',
        'RUN <<EOF',
        'echo one > /out',
        'echo two >> /out',
        'EOF',
        'RUN <<EOF',
        '#!/bin/busybox sh',
        'echo "$0" >> /out',
        'EOF',
        'RUN ["/bin/sh", "-c", "echo $0 exec >> /out"]',
        'RUN cat <<A >> /out && cat <<B >> /out',
        'a',
        'A',
        'b',
        'B',
        '',
      ].join('\n'),
    });
    await made.built('-t', 'heredocs');
    assert.equal(
      await run('heredocs', 'cat', '/out'),
      'one\ntwo\n/dev/pipes/EOF\n/bin/sh exec\na\nb',
    );
  });

  test('what the builder writes is readable for every user', async () => {
    const made = context({
      Dockerfile:
        'FROM busybox\nCOPY <<EOF /note\nnote\nEOF\nUSER 1000\nRUN cat /note /etc/hosts && stat -c %a /etc /note\n',
    });
    assert.match(
      await made.built('--no-cache'),
      /\nnote\n127\.0\.0\.1\tlocalhost\n[^]*\n755\n644\n/,
    );
  });

  test('RUN on an image without /etc and /proc leaves no mount points in the layer', async () => {
    const made = context({
      Dockerfile:
        'FROM scratch\nCOPY --from=busybox /bin/busybox /bin/busybox\nRUN ["/bin/busybox", "touch", "/made"]\n',
    });
    await made.built('-t', 'bare');
    const saved = join(made.dir, 'bare.tar');
    await engine.docker('save', '-o', saved, 'bare');
    const listed = await command([
      'sh',
      '-c',
      `tar -xOf ${saved} manifest.json | jq -r '.[0].Layers[1]' | xargs tar -xOf ${saved} | tar -t`,
    ]);
    assert.equal(listed.stdout.trim(), 'made', listed.stderr);
  });

  test('cache, tmpfs and bind mounts serve RUN and leave nothing in the layer', async () => {
    const made = context({
      Dockerfile: [
        'FROM busybox AS tools',
        'RUN mkdir /t && echo tool > /t/x',
        'FROM busybox',
        'ARG ROUND',
        'RUN --mount=type=cache,target=/cache,id=count echo x >> /cache/n && wc -l < /cache/n > /count && echo $ROUND',
        'RUN --mount=type=tmpfs,target=/scratch touch /scratch/f && mount | grep -q " /scratch type tmpfs"',
        'RUN --mount=target=/ctx --mount=from=tools,source=/t,target=/tools cat /ctx/file /tools/x > /both && ! touch /ctx/new',
        '',
      ].join('\n'),
      file: 'file\n',
    });
    await made.built('-t', 'mounts', '--build-arg', 'ROUND=1');
    await made.built('-t', 'mounts', '--build-arg', 'ROUND=2');
    assert.equal(
      await run(
        'mounts',
        'sh',
        '-c',
        'cat /count /both; ls -d /cache /scratch /ctx /tools 2>/dev/null || true',
      ),
      '2\nfile\ntool',
    );
  });

  test('a second build is all cache and gives the very same image; times of files do not matter', async () => {
    const made = context({
      Dockerfile: 'FROM busybox\nENV A=1\nCOPY f /f\nRUN cat /f > /g\nLABEL x=y\n',
      f: 'f',
    });
    const first = await made.built('--no-cache');
    utimesSync(join(made.dir, 'f'), 1, 1);
    const second = await made.built();
    assert.equal(cachedSteps(second), 4);
    assert.equal(builtId(second), builtId(first));
    writeFileSync(join(made.dir, 'f'), 'changed');
    const third = await made.built();
    assert.equal(cachedSteps(third), 1);
    assert.notEqual(builtId(third), builtId(first));
  });

  test('a LABEL before a RUN does not make it run again; an ARG it could read does; a proxy never', async () => {
    const made = context({ Dockerfile: 'FROM busybox\nARG V=1\nRUN echo run-$V\n' });
    await made.built();
    made.write({ Dockerfile: 'FROM busybox\nLABEL new=1\nARG V=1\nRUN echo run-$V\n' });
    assert.ok(!(await made.built()).includes('\nrun-1\n'));
    assert.ok((await made.built('--build-arg', 'V=2')).includes('\nrun-2\n'));
    const proxied = await made.built(
      '--build-arg',
      'V=2',
      '--build-arg',
      'http_proxy=http://nowhere',
    );
    assert.ok(!proxied.includes('\nrun-2\n'));
  });

  test('predefined platform arguments are there once declared', async () => {
    const made = context({
      Dockerfile:
        'FROM --platform=$BUILDPLATFORM busybox\nARG TARGETARCH\nARG TARGETOS\nRUN echo "<$TARGETOS/$TARGETARCH/$TARGETPLATFORM>"\n',
    });
    assert.match(await made.built('--no-cache'), /<linux\/(?:amd64|arm64)\/>/);
  });

  test('an argument that nothing takes is named in a warning', async () => {
    const made = context({ Dockerfile: 'FROM busybox\nRUN true\n' });
    assert.match(
      await made.built('--build-arg', 'NOBODY=1'),
      /\[Warning\] One or more build-args \[NOBODY\] were not consumed/,
    );
  });

  test("FROM scratch, quiet output and history in BuildKit's style", async () => {
    const made = context({ Dockerfile: 'FROM scratch\nCOPY f /\nCMD ["/f"]\n', f: 'f' });
    const { stdout } = await made.build(['-q', '-t', 'tiny']);
    assert.match(stdout, /^sha256:[0-9a-f]{64}\n$/);
    assert.equal(
      await engine.docker(
        'history',
        '--no-trunc',
        '--format',
        '{{.CreatedBy}}|{{.Comment}}',
        'tiny',
      ),
      'CMD ["/f"]|buildkit.dockerfile.v0\nCOPY f / # buildkit|buildkit.dockerfile.v0',
    );
  });

  test("a failing RUN says docker's sentence and the line, and keeps what went before", async () => {
    const made = context({
      Dockerfile: 'FROM busybox\nRUN echo before\n\nRUN echo last words; exit 7\n',
    });
    const { status, stdout, stderr } = await made.build(['--no-cache']);
    assert.notEqual(status, 0);
    assert.match(stdout, /last words/);
    assert.match(
      stderr,
      /The command '\/bin\/sh -c echo last words; exit 7' returned a non-zero code: 7\nDockerfile:4: RUN echo/,
    );
    assert.equal(cachedSteps((await made.build()).stdout), 1);
  });

  test('a missing program, a missing source and a missing Dockerfile are named', async () => {
    const program = await context({ Dockerfile: 'FROM busybox\nRUN ["/no/such"]\n' }).build();
    assert.match(program.stderr, /returned a non-zero code: 127/);
    const source = await context({ Dockerfile: 'FROM busybox\nCOPY nothing /x\n' }).build();
    assert.match(
      source.stderr,
      /COPY failed: file not found in build context or excluded by \.dockerignore: stat nothing: file does not exist/,
    );
    const file = await engine.tryDocker(['build', '-f', 'Nope', '-'], {
      input: await tarOf(context({ Dockerfile: 'FROM busybox\n' }).dir),
    });
    assert.match(file.stderr, /Cannot locate specified Dockerfile: Nope/);
  });

  test('every mistake of a Dockerfile is told before anything runs', async () => {
    const { status, stdout, stderr } = await context({
      Dockerfile: 'FROM busybox\nRUNN echo never\nCOPY one\nRUN echo ran\n',
    }).build();
    assert.notEqual(status, 0);
    assert.ok(!stdout.includes('ran'));
    assert.match(stderr, /dockerfile parse error on line 2: unknown instruction: RUNN/);
    assert.match(stderr, /dockerfile parse error on line 3: /);
  });

  test('what is not implemented says so at its line', async () => {
    const { stderr } = await context({
      Dockerfile: 'FROM busybox\nADD https://example.org/x /\n',
    }).build();
    assert.match(stderr, /line 2: ADD from a remote source is not implemented/);
  });

  test('a context whose links lead outside gives the builder nothing of the host', async () => {
    const made = context({
      'inner/Dockerfile': 'FROM busybox\nCOPY link /got\n',
      'inner/link': '-> /etc/hostname',
      Dockerfile: '-> /etc/passwd',
    });
    const packed = await command(['tar', '-C', made.dir, '-c', '.']);
    assert.equal(packed.status, 0);
    const direct = await engine.tryDocker(['build', '-f', 'Dockerfile', '-'], {
      input: await tarOf(made.dir),
    });
    assert.match(direct.stderr, /Cannot locate specified Dockerfile: Dockerfile/);
    const inner = await engine.tryDocker(['build', '-'], {
      input: await tarOf(join(made.dir, 'inner')),
    });
    assert.match(inner.stderr, /COPY failed/);
  });

  test('--network host and none reach as far as they say', async () => {
    const made = context({ Dockerfile: 'FROM busybox\nRUN ip -o link | wc -l\n' });
    assert.match(await made.built('--no-cache', '--network', 'none'), /\n1\n/);
    const links = (await command(['sh', '-c', 'ls /sys/class/net | wc -l'])).stdout.trim();
    assert.match(await made.built('--no-cache', '--network', 'host'), new RegExp(`\n${links}\n`));
  });

  test('builder prune empties the cache and says how much came free', async () => {
    const made = context({
      Dockerfile: 'FROM busybox\nRUN dd if=/dev/zero of=/big bs=1024 count=2048\n',
    });
    const id = builtId(await made.built('--no-cache'));
    await engine.docker('rmi', id);
    const response = await engine.tryDocker(['builder', 'prune', '-af']);
    assert.equal(response.status, 0, response.stderr);
    assert.match(response.stdout + response.stderr, /[1-9][\d.]*\s?[kM]B/);
    assert.equal(cachedSteps(await made.built()), 0);
  });

  async function tarOf(dir: string): Promise<Buffer> {
    const file = `${dir}.tar`;
    await command(['tar', '-C', dir, '-cf', file, '.']);
    const data = readFileSync(file);
    rmSync(file);
    return data;
  }
}

/** What must work the same in every mode. */
function basics(mode: EngineMode): void {
  test('a Dockerfile with RUN, COPY, users and stages builds, runs, and builds again from the cache', async () => {
    const engine = await startTestEngine(mode);
    const made = makeContext(engine, {
      Dockerfile: [
        'FROM busybox AS make',
        'WORKDIR /src',
        'COPY . .',
        'RUN ./make.sh && mkdir -p /opt/app && cp built /opt/app/',
        'FROM busybox',
        'COPY --from=make /opt/app /opt/app',
        'RUN rm -rf /opt/app/none && ln -s /opt/app/built /link && rm /link && chmod 700 /opt/app',
        'CMD ["cat", "/opt/app/built"]',
        '',
      ].join('\n'),
      'make.sh': '#!/bin/sh\necho made by $(id -u) > built\n',
    });
    try {
      await engine.docker('load', '-i', archiveOf('busybox:latest'));
      const first = await made.built('-t', 'app');
      assert.equal(await engine.docker('run', '--rm', 'app'), 'made by 0');
      const second = await made.built('-t', 'app');
      assert.equal(builtId(second), builtId(first));
      assert.equal(cachedSteps(second), 6);
      const failed = await made.build(['--build-arg', 'X=1', '--target', 'missing']);
      assert.notEqual(failed.status, 0);
    } finally {
      made.remove();
      assert.deepEqual(await engine.close(), [], 'nothing is left behind');
    }
  });
}
