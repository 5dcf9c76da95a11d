/** `docker commit`, `docker push`, `docker search` and the facts of a reference: the stock command line and Debian's docker-registry, with and without a login. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { archiveOf } from '../../scripts/lib/images.ts';
import { startRegistry } from '../../scripts/lib/registry.ts';
import type { Registry } from '../../scripts/lib/registry.ts';
import { Transport } from '../../src/client/api/transport.ts';
import type {
  DistributionInspect,
  ImageInspect,
  ImageSearchItem,
} from '../../src/lib/api/images.ts';
import { makeContext } from '../support/build.ts';
import { startDockerd } from '../support/dockerd.ts';
import { command, startTestEngine, type EngineMode, type TestEngine } from '../support/engine.ts';

/** `someone` with the password `word`. */
const HTPASSWD = 'someone:$2y$05$abcdefghijklmnopqrstuuQDoL5Sa/TtfS/XN4AY/jgq.HBbO1BTu\n';

for (const mode of ['system', 'rootless'] as const)
  describe(`commit and push in mode ${mode}`, () => suite(mode));

function suite(mode: EngineMode): void {
  let engine: TestEngine;
  let transport: Transport;
  let registry: Registry;
  const dir = mkdtempSync('/tmp/pinnace-registry-');

  before(async () => {
    registry = await startRegistry(dir);
    engine = await startTestEngine(mode);
    await engine.docker('load', '-i', archiveOf('busybox:latest'));
    transport = new Transport({ socketPath: engine.address.slice('unix://'.length) });
  });
  after(async () => {
    transport.close();
    const left = await engine.close();
    await registry.stop();
    rmSync(dir, { recursive: true, force: true });
    assert.deepEqual(left, [], 'nothing is left behind');
  });
  const inspect = async (name: string): Promise<ImageInspect> =>
    JSON.parse(await engine.docker('inspect', '--format', '{{json .}}', name)) as ImageInspect;

  test('a commit takes what the container changed, and its configuration', async () => {
    const script = 'echo new > /added; rm /etc/group; mkdir /d; chown 7:8 /d; ln -s added /link';
    await engine.docker(
      'run',
      '--name',
      'c1',
      '-e',
      'A=1',
      '-w',
      '/d',
      '-v',
      '/tmp:/mounted',
      'busybox',
      'sh',
      '-c',
      script,
    );
    const id = await engine.docker(
      'commit',
      '-a',
      'Somebody <s@example.org>',
      '-m',
      'a comment',
      '-c',
      'CMD ["cat", "/added"]',
      '-c',
      'ENV B=2',
      '-c',
      'EXPOSE 80',
      'c1',
      'made:one',
    );
    assert.match(id, /^sha256:[0-9a-f]{64}$/);
    assert.equal(await engine.docker('run', '--rm', 'made:one'), 'new');
    const out = await engine.docker(
      'run',
      '--rm',
      'made:one',
      'sh',
      '-c',
      'echo $A $B; pwd; ls /etc/group /mounted /link; stat -c %u:%g /d; true',
    );
    assert.equal(out, '1 2\n/d\n/link\n7:8', 'no mount point of the container, no removed file');
    const history = await engine.docker(
      'history',
      '--no-trunc',
      '--format',
      '{{.CreatedBy}}|{{.Comment}}',
      'made:one',
    );
    assert.equal(history.split('\n')[0], `sh -c ${script}|a comment`);
    const image = await inspect('made:one');
    assert.equal(image.Author, 'Somebody <s@example.org>');
    assert.deepEqual(image.Config.ExposedPorts, { '80/tcp': {} });
    const layers = image.RootFS.Layers?.length;
    const before = (await inspect('busybox')).RootFS.Layers?.length ?? 0;
    assert.equal(layers, before + 1);
    assert.deepEqual((await engine.docker('diff', 'c1')).split('\n').length > 3, true);
  });

  test('a commit of the same files gives the same layer, and of none gives none', async () => {
    await engine.docker('commit', 'c1', 'made:two');
    const layers = async (name: string): Promise<string[]> =>
      (await inspect(name)).RootFS.Layers ?? [];
    assert.deepEqual(await layers('made:two'), await layers('made:one'));
    await engine.docker('run', '--name', 'c2', 'busybox', 'true');
    await engine.docker('commit', 'c2', 'made:nothing');
    assert.deepEqual(await layers('made:nothing'), await layers('busybox'));
  });

  test('a running container is committed and runs on, paused or not', async () => {
    await engine.docker(
      'run',
      '-d',
      '--name',
      'c3',
      'busybox',
      'sh',
      '-c',
      'echo x > /x; sleep 1h',
    );
    await engine.docker('commit', 'c3', 'made:live');
    await engine.docker('commit', '--pause=false', 'c3', 'made:live2');
    assert.equal(await engine.docker('inspect', '-f', '{{.State.Status}}', 'c3'), 'running');
    assert.equal(await engine.docker('run', '--rm', 'made:live2', 'cat', '/x'), 'x');
    await engine.docker('rm', '-f', 'c3');
  });

  test('a commit with a bad name or change is refused and leaves nothing', async () => {
    const images = await engine.docker('images', '-aq');
    for (const words of [
      ['c1', 'UPPER'],
      ['-c', 'RUN true', 'c1'],
      ['-c', 'EXPOSE x', 'c1'],
      ['absent'],
    ]) {
      const { status, stderr } = await engine.tryDocker(['commit', ...words]);
      assert.notEqual(status, 0, words.join(' '));
      assert.match(stderr, /invalid|No such container|not|RUN/i);
    }
    assert.equal(await engine.docker('images', '-aq'), images);
  });

  test('what is pushed can be pulled again, and keeps its digests', async () => {
    const name = `${registry.address}/some/made:one`;
    await engine.docker('tag', 'made:one', name);
    const pushed = await engine.docker('push', name);
    assert.match(pushed, /: Pushed/);
    const digest = /one: digest: (sha256:[0-9a-f]{64}) size: \d+/.exec(pushed)?.[1];
    assert.ok(digest !== undefined, pushed);
    const again = await engine.docker('push', name);
    assert.match(again, /Layer already exists/);
    assert.ok(again.includes(digest), 'the same digest again');
    const repoDigests = await engine.docker('inspect', '-f', '{{json .RepoDigests}}', name);
    assert.ok(repoDigests.includes(digest));
    const id = await engine.docker('inspect', '-f', '{{.Id}}', name);
    const looked = await command(['skopeo', 'inspect', '--tls-verify=false', `docker://${name}`]);
    assert.equal((JSON.parse(looked.stdout) as { Digest: string }).Digest, digest);
    await engine.docker('rmi', '-f', name, 'made:one', 'made:two');
    await engine.docker('rm', 'c1');
    await engine.docker('pull', name);
    assert.equal(await engine.docker('inspect', '-f', '{{.Id}}', name), id);
    assert.equal(await engine.docker('run', '--rm', name), 'new');
    const repushed = await engine.docker('push', name);
    assert.ok(repushed.includes(digest), 'a pulled image goes back with the same digest');
  });

  test('a manifest that another program made goes back byte for byte', async () => {
    const from = `${registry.address}/foreign:1`;
    const copied = await command([
      'skopeo',
      'copy',
      '--insecure-policy',
      '--dest-tls-verify=false',
      '--format',
      'oci',
      `docker-archive:${archiveOf('busybox:latest')}`,
      `docker://${from}`,
    ]);
    assert.equal(copied.status, 0, copied.stderr);
    const pulled = await engine.docker('pull', from);
    const digest = /Digest: (sha256:[0-9a-f]{64})/.exec(pulled)?.[1] ?? '';
    const to = `${registry.address}/elsewhere/foreign:2`;
    await engine.docker('tag', from, to);
    const pushed = await engine.docker('push', to);
    assert.ok(pushed.includes(`digest: ${digest}`), pushed);
    assert.match(pushed, /Layer already exists|Mounted from foreign/);
  });

  test('every tag of a repository is pushed with -a, and a name without an image says so', async () => {
    const base = `${registry.address}/many`;
    for (const tag of ['a', 'b']) await engine.docker('tag', 'busybox', `${base}:${tag}`);
    const pushed = await engine.docker('push', '-a', base);
    assert.match(pushed, /a: digest/);
    assert.match(pushed, /b: digest/);
    const { status, stderr } = await engine.tryDocker(['push', `${registry.address}/none:x`]);
    assert.notEqual(status, 0);
    assert.match(stderr, /An image does not exist locally with the tag/);
  });

  test('a layer is compressed once, whatever is pushed with it', async () => {
    const made = makeContext(engine, {
      Dockerfile: 'FROM busybox\nRUN head -c 40000000 /dev/urandom > /big\n',
    });
    await made.built('-t', `${registry.address}/big:1`);
    made.remove();
    const first = performance.now();
    await engine.docker('push', `${registry.address}/big:1`);
    const took = performance.now() - first;
    await engine.docker('tag', `${registry.address}/big:1`, `${registry.address}/bigger:1`);
    const second = performance.now();
    await engine.docker('push', `${registry.address}/bigger:1`);
    assert.ok(performance.now() - second < took, 'the second push compresses nothing');
  });

  test('a cancelled push ends at once and can be done again', async () => {
    const made = makeContext(engine, {
      Dockerfile: 'FROM busybox\nRUN head -c 90000000 /dev/urandom > /huge\n',
    });
    await made.built('-t', `${registry.address}/huge:1`);
    made.remove();
    const stop = new AbortController();
    const running = engine.tryDocker(['push', `${registry.address}/huge:1`], {
      signal: stop.signal,
    });
    setTimeout(() => stop.abort(), 700);
    assert.notEqual((await running).status, 0);
    assert.match(await engine.docker('push', `${registry.address}/huge:1`), /digest: sha256/);
  });

  test('a registry that is not there, and one that wants a login, say so', async () => {
    await engine.docker('tag', 'busybox', '127.0.0.1:1/x:1');
    const gone = await engine.tryDocker(['push', '127.0.0.1:1/x:1']);
    assert.match(gone.stderr, /cannot be reached|ECONNREFUSED/);
    const locked = mkdtempSync('/tmp/pinnace-registry-');
    const closed = await startRegistry(locked, undefined, { htpasswd: HTPASSWD });
    try {
      const name = `${closed.address}/private:1`;
      await engine.docker('tag', 'busybox', name);
      const denied = await engine.tryDocker(['push', name]);
      assert.notEqual(denied.status, 0);
      assert.match(denied.stderr, /denied|requires authorization/);
      await engine.docker('login', '-u', 'someone', '-p', 'word', closed.address);
      assert.match(await engine.docker('push', name), /digest: sha256/);
      await engine.docker('logout', closed.address);
    } finally {
      await closed.stop();
      rmSync(locked, { recursive: true, force: true });
    }
  });

  test('the facts of a reference come from its registry', async () => {
    const name = `${registry.address}/foreign:1`;
    const facts = await transport.json<DistributionInspect>('distribution.inspect', {
      params: { name },
    });
    assert.equal(facts.Descriptor.mediaType, 'application/vnd.oci.image.manifest.v1+json');
    assert.match(facts.Descriptor.digest, /^sha256:/);
    assert.equal(facts.Platforms[0]?.os, 'linux');
    await assert.rejects(
      transport.json('distribution.inspect', { params: { name: `${registry.address}/absent` } }),
      /not found/,
    );
  });

  test('a search is answered by the registry that is named, or says that it cannot', async () => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? '');
      const results = [
        { name: 'a', description: 'd', star_count: 5, is_official: true },
        { name: 'b', description: '', star_count: 1 },
      ];
      response.end(JSON.stringify({ num_results: 2, results }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const place = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    const search = (query: Record<string, string>): Promise<ImageSearchItem[]> =>
      transport.json('image.search', { query });
    const found = await search({ term: `${place}/word`, limit: '10' });
    assert.deepEqual(
      found.map(({ name }) => name),
      ['a', 'b'],
    );
    assert.equal(asked.at(-1), '/v1/search?q=word&n=10');
    const official = await search({ term: `${place}/word`, filters: '{"is-official":["true"]}' });
    assert.deepEqual(
      official.map(({ name }) => name),
      ['a'],
    );
    server.close();
    server.closeAllConnections();
    await assert.rejects(search({ term: `${place}/word` }), /cannot search .*cannot be reached/);
    await assert.rejects(search({ term: 'x', limit: '1000' }), /out of range/);
  });
}

test("a commit is Docker's own, where dockerd is installed to compare with", async () => {
  const dir = mkdtempSync('/tmp/pinnace-dockerd-');
  const dockerd = await startDockerd(dir);
  assert.ok(dockerd !== undefined, 'dockerd is missing: apt-get install docker.io');
  const engine = await startTestEngine('system');
  try {
    const facts = async (address: string): Promise<unknown> => {
      const docker = async (...words: string[]): Promise<string> => {
        const { status, stdout, stderr } = await command(['docker', ...words], {
          env: { DOCKER_HOST: address },
        });
        assert.equal(status, 0, stderr);
        return stdout.trim();
      };
      await docker('load', '-q', '-i', archiveOf('busybox:latest'));
      const script =
        'echo new > /added; rm /etc/group; mkdir -m 700 /d; chown 7:8 /d; chmod 4755 /added';
      const options = ['-e', 'A=1', '-w', '/d', '-u', '0:0', '-p', '80', '-v', '/vol', '-l', 'k=v'];
      await docker(
        'run',
        '--network=none',
        '--name',
        'cc',
        ...options,
        'busybox',
        'sh',
        '-c',
        script,
      );
      const changes = ['CMD ["cat", "/added"]', 'ENV B=2', 'LABEL x=y', 'ONBUILD RUN true'];
      const words = changes.flatMap((change) => ['-c', change]);
      await docker('commit', '-a', 'Me <m@e>', '-m', 'a comment', ...words, 'cc', 'made');
      const [image] = JSON.parse(await docker('inspect', 'made')) as [ImageInspect];
      const { Config, Author, Comment } = image;
      const list = 'cd /; ls -lan / /d; stat -c "%a %u %g %s %n" /added; ls /etc/group 2>&1; true';
      const files = await docker(
        'run',
        '--rm',
        '--network=none',
        '--entrypoint',
        'sh',
        'made',
        '-c',
        list,
      );
      const shown = files.split('\n').filter((line) => /added| d$|group|^\d+ /.test(line));
      const history = await docker(
        'history',
        '--no-trunc',
        '--format',
        '{{.CreatedBy}}|{{.Comment}}',
        'made',
      );
      await docker('rm', '-fv', 'cc');
      const { Cmd, Env, Entrypoint, ExposedPorts, Labels, OnBuild, User, Volumes, WorkingDir } =
        Config;
      const config = {
        Cmd,
        Entrypoint: Entrypoint ?? null,
        ExposedPorts,
        Labels,
        OnBuild,
        User,
        Volumes,
        WorkingDir,
        Env: [...(Env ?? [])].sort(),
      };
      return {
        Author,
        Comment,
        config,
        history: history.split('\n')[0],
        shown,
        layers: image.RootFS.Layers?.length,
      };
    };
    assert.deepEqual(await facts(engine.address), await facts(dockerd.address));
  } finally {
    await dockerd.stop();
    assert.deepEqual(await engine.close(), [], 'nothing is left behind');
    rmSync(dir, { recursive: true, force: true });
  }
});
