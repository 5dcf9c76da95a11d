/** Every action of the explorer, run as the editor runs it, on our engine and on dockerd: what it asks, does and says. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, afterEach, before, suite, test } from 'node:test';
import { archiveOf, makeImages } from '../../scripts/lib/images.ts';
import { parseAddress } from '../../src/client/api/addresses.ts';
import { type Client, createClient } from '../../src/client/api/client.ts';
import { CONTAINER_COMMANDS } from '../../src/extension/commands/containers/table.ts';
import type { TerminalSession } from '../../src/extension/commands/desk.ts';
import {
  type FakeAnswers,
  type FakeDesk,
  fakeDesk,
} from '../../src/extension/commands/fake-desk.ts';
import { IMAGE_COMMANDS } from '../../src/extension/commands/images/table.ts';
import { NETWORK_COMMANDS } from '../../src/extension/commands/networks/table.ts';
import { CONTAINERS, IMAGES, NETWORKS, VOLUMES } from '../../src/extension/commands/targets.ts';
import { VOLUME_COMMANDS } from '../../src/extension/commands/volumes/table.ts';
import { OpenPorts, type ToldPort } from '../../src/extension/devcontainer/open-ports.ts';
import type { Feature } from '../../src/extension/engine/engines.ts';
import { createForwards } from '../../src/extension/ports/forward.ts';
import { createFeed } from '../../src/extension/webviews/logs/feed.ts';
import type { LogLine } from '../../src/extension/webviews/logs/messages.ts';
import { followLog } from '../../src/extension/webviews/logs/source.ts';
import { sampleOf } from '../../src/extension/webviews/stats/sample.ts';
import type { Node } from '../../src/extension/views/nodes.ts';
import { parseDevContainer } from '../../src/lib/devcontainer/config.ts';
import { startDockerd } from '../support/dockerd.ts';
import { command, ROOT, startTestEngine } from '../support/engine.ts';
import { startPodman } from '../support/podman.ts';

interface Served {
  readonly address: string;
  readonly missing: readonly Feature[];
  stop(): Promise<void>;
}

const ENGINES: Record<string, (dir: string) => Promise<Served>> = {
  Pinnace: async () => {
    const engine = await startTestEngine('system');
    const stop = async (): Promise<void> => {
      assert.deepEqual(await engine.close(), [], 'left behind');
    };
    return { address: engine.address, missing: [], stop };
  },
  dockerd: async (dir) => {
    const dockerd = await startDockerd(dir);
    assert.ok(dockerd, 'install docker.io: its dockerd is needed');
    return { address: dockerd.address, missing: ['pinnace'], stop: () => dockerd.stop() };
  },
  Podman: async (dir) => {
    const podman = await startPodman(dir);
    assert.ok(podman, 'install podman: its API service is needed');
    return { address: podman.address, missing: ['pinnace'], stop: () => podman.stop() };
  },
};

const TABLE = [...CONTAINER_COMMANDS, ...IMAGE_COMMANDS, ...VOLUME_COMMANDS, ...NETWORK_COMMANDS];

for (const [name, start] of Object.entries(ENGINES)) {
  suite(`the explorer's actions on ${name}`, () => {
    let dir: string;
    let served: Served;
    let client: Client;
    let sessions: TerminalSession[] = [];

    const docker = async (...args: string[]): Promise<string> => {
      const result = await command(['docker', ...args], { env: { DOCKER_HOST: served.address } });
      assert.equal(result.status, 0, `docker ${args.join(' ')}: ${result.stderr}`);
      return result.stdout.trim();
    };
    const build = async (tag: string, context: string): Promise<void> => {
      const env = { DOCKER_HOST: served.address, DOCKER_BUILDKIT: '0' };
      const built = await command(['docker', 'build', '-q', '-t', tag, context], { env });
      assert.equal(built.status, 0, built.stderr);
    };
    const desk = (answers: FakeAnswers = {}): FakeDesk => {
      const made = fakeDesk({ client, missing: served.missing, ...answers });
      return Object.assign(made, {
        terminal: (session: TerminalSession) => void sessions.push(session),
        asset: (path: string) => join(ROOT, path),
      });
    };
    const act = async (
      id: string,
      targets: readonly Node[] = [],
      answers: FakeAnswers = {},
    ): Promise<FakeDesk> => {
      const found = TABLE.find((item) => item.id === `pinnace.${id}`);
      assert.ok(found, id);
      const made = desk(answers);
      await found.run(made, targets, undefined);
      return made;
    };
    const container = async (called: string): Promise<Node> => {
      const found = (await CONTAINERS.list(client)).find((node) => node.name === called);
      assert.ok(found, called);
      return found;
    };
    const image = async (called: string): Promise<Node> => {
      // Podman always says of which registry a name is.
      const names = [called, `localhost/${called}`, `docker.io/library/${called}`];
      const found = (await IMAGES.list(client)).find((node) => names.includes(node.reference));
      assert.ok(found, called);
      return found;
    };
    const state = (called: string): Promise<string> =>
      docker('inspect', '-f', '{{.State.Status}}', called);
    const run = (called: string, ...words: string[]): Promise<string> =>
      docker(
        'run',
        '-d',
        '--network',
        'none',
        '--stop-timeout',
        '0',
        '--name',
        called,
        'busybox',
        ...words,
      );

    before(async () => {
      dir = mkdtempSync('/tmp/pinnace-actions-');
      await makeImages(['busybox:latest']);
      served = await (ENGINES[name] ?? start)(join(dir, 'engine'));
      client = createClient(parseAddress(served.address));
      await client.negotiate();
      await docker('load', '-q', '-i', archiveOf('busybox:latest'));
    });
    afterEach(async () => {
      const left = (await CONTAINERS.list(client)).map(({ id }) => id);
      if (left.length > 0) await docker('rm', '-f', '-v', ...left);
    });
    after(async () => {
      client.close();
      await served.stop();
      rmSync(dir, { recursive: true, force: true });
    });

    test('a container is stopped, started, restarted, paused, gone on with, killed, renamed and removed', async () => {
      await run('web', 'sleep', '600');
      await act('container.pause', [await container('web')]);
      assert.equal(await state('web'), 'paused');
      await act('container.unpause', [await container('web')]);
      await act('container.restart', [await container('web')]);
      assert.equal(await state('web'), 'running');
      await act('container.stop', [await container('web')]);
      assert.equal(await state('web'), 'exited');
      await act('container.start', [await container('web')]);
      await act('container.kill', [await container('web')], { picks: ['SIGKILL'] });
      await docker('wait', 'web');
      assert.equal(await state('web'), 'exited');
      await act('container.rename', [await container('web')], { answers: ['shop'] });
      await run('web2', 'sleep', '600');
      const removed = await act('container.remove', [
        await container('shop'),
        await container('web2'),
      ]);
      assert.match(removed.journal.join('\n'), /Stop and Remove/);
      assert.equal(await docker('ps', '-aq'), '');
    });

    test('a container is looked at', async () => {
      await run('web', 'sleep', '600');
      const node = await container('web');
      assert.match((await act('container.inspect', [node])).journal.join(''), /"Name": "\/web"/);
      assert.match((await act('container.processes', [node])).journal.join(''), /sleep 600/);
      assert.match(
        (await act('container.copyRunLine', [node])).journal.join(''),
        /^copy docker run --detach (?:\\\n {2})?--name web /,
      );
      for await (const stats of client.containers.stats(node.kind === 'container' ? node.id : '', {
        stream: false,
      })) {
        const sample = sampleOf(stats, undefined);
        // A dockerd in a container of its own sees no control groups.
        if (name === 'Pinnace')
          assert.ok(sample.memory > 0 && sample.pids >= 1, JSON.stringify(sample));
        assert.ok(sample.at > Date.now() - 60_000);
      }
      await docker('rm', '-f', 'web');
    });

    test('the docker run line makes the container again', async () => {
      const words = [
        '--detach',
        '--name',
        'first',
        '--network',
        'none',
        '--env',
        'GREETING=it is "1"',
        '--label',
        'a=b',
        '--tmpfs',
        '/scratch:size=1m',
        '--memory',
        '67108864',
        '--user',
        '7',
        '--workdir',
        '/tmp',
        '--volume',
        'data:/data:ro',
        '--cap-drop',
        'ALL',
        '--stop-signal',
        'SIGINT',
      ];
      await docker('run', ...words, '--entrypoint', '/bin/sh', 'busybox', '-c', 'sleep 600');
      const { journal } = await act('container.copyRunLine', [await container('first')]);
      const line = journal
        .join('')
        .replace(/^copy /, '')
        .replace('--name first', '--name second');
      const again = await command(['/bin/sh', '-c', line], {
        env: { DOCKER_HOST: served.address },
      });
      assert.equal(again.status, 0, `${line}\n${again.stderr}`);
      const [one, other] = await Promise.all(
        ['first', 'second'].map((id) => client.containers.inspect(id)),
      );
      const facts = (made: typeof one): object => ({
        ...made?.Config,
        Hostname: '',
        // Podman's are in no order, and with the name of the host.
        Env: made?.Config.Env?.filter((entry) => !entry.startsWith('HOSTNAME=')).toSorted(),
        memory: made?.HostConfig.Memory,
        binds: made?.HostConfig.Binds,
        tmpfs: made?.HostConfig.Tmpfs,
        caps: made?.HostConfig.CapDrop,
      });
      assert.deepEqual(facts(other), facts(one));
      await docker('rm', '-f', 'first', 'second');
      await docker('volume', 'rm', 'data');
    });

    test('stopped containers are pruned, and exported to a file', async () => {
      await run('old', 'true');
      await docker('wait', 'old');
      const path = join(dir, 'old.tar');
      await act('container.export', [await container('old')], { files: [path] });
      assert.ok(statSync(path).size > 100_000);
      const { journal } = await act('container.prune');
      assert.match(journal.at(-1) ?? '', /^inform Removed 1 container/);
    });

    test('a container becomes an image', async () => {
      await run('web', 'sh', '-c', 'echo hello > /made; sleep 600');
      const answers = { answers: ['made:1', 'note', 'Ada'], picks: ['Pause'] };
      const { journal } = await act('container.commit', [await container('web')], answers);
      assert.equal(journal.at(-1), 'inform Made made:1 of web.');
      assert.equal(
        await docker('run', '--rm', '--network', 'none', 'made:1', 'cat', '/made'),
        'hello',
      );
      await docker('rm', '-f', 'web');
      await docker('rmi', 'made:1');
    });

    test('an image is run, tagged, saved, loaded, looked at and removed', async () => {
      const ran = await act('image.runInteractive', [await image('busybox:latest')], {
        answers: ['sh -c "echo from $GREETING; exit 3"', 'talk', '', 'GREETING=here'],
      });
      assert.ok(ran.journal.length > 0);
      assert.match(await shown(sessions), /from here\r\n\[3\]$/);
      await act('image.tag', [await image('busybox:latest')], {
        answers: ['localhost:5000/box:2'],
      });
      const path = join(dir, 'box.tar');
      await act('image.save', [await image('localhost:5000/box:2')], { files: [path] });
      const { journal } = await act('image.remove', [await image('localhost:5000/box:2')]);
      assert.match(journal.join('\n'), /confirm Remove image localhost:5000\/box:2\?/);
      const loaded = await act('image.load', [], { files: [path] });
      assert.equal(loaded.journal.at(-1), 'inform Loaded localhost:5000/box:2.');
      assert.match(
        (await act('image.history', [await image('busybox:latest')])).journal.join(''),
        /IMAGE +CREATED +SIZE +STEP/,
      );
      assert.match(
        (await act('image.inspect', [await image('busybox:latest')])).journal.join(''),
        /"RepoTags"/,
      );
      await act('image.remove', [await image('localhost:5000/box:2')]);
      assert.equal(await docker('images', '-q', 'localhost:5000/box'), '');
    });

    test('running an image in one step says where it is', async () => {
      await docker('tag', 'busybox', 'quick');
      const { journal } = await act('image.run', [await image('quick:latest')]);
      assert.match(journal.join('\n'), /inform \w+ (?:runs|ran) \S*quick:latest.* \| Show Logs/);
      const [made] = await CONTAINERS.list(client);
      assert.ok(made);
      await docker('rm', '-f', made.id);
      await docker('rmi', 'quick');
    });

    test('a pull that cannot be says why', async () => {
      await assert.rejects(
        act('image.pull', [], { answers: ['127.0.0.1:1/none:1'] }),
        /Could not pull 127\.0\.0\.1:1\/none:1: .+/,
      );
    });

    test('images without a name are pruned', async () => {
      const context = join(dir, 'two');
      mkdirSync(context);
      writeFileSync(join(context, 'Dockerfile'), 'FROM busybox\nLABEL of=ours\n');
      await build('two', context);
      await docker('tag', 'busybox', 'two');
      const { journal } = await act('image.prune', [], { picks: ['Without a Name'] });
      assert.match(journal.at(-1) ?? '', /^inform Removed \d+ image/);
      await docker('rmi', 'two');
    });

    test('volumes are made, found in use, kept while they are, and removed', async () => {
      await act('volume.create', [], { answers: ['stuff'] });
      await docker(
        'run',
        '-d',
        '--network',
        'none',
        '--name',
        'web',
        '-v',
        'stuff:/s',
        'busybox',
        'sleep',
        '600',
      );
      const volume = async (): Promise<Node> => {
        const found = (await VOLUMES.list(client)).find((node) => node.name === 'stuff');
        assert.ok(found);
        return found;
      };
      const users = await act('volume.users', [await volume()], { picks: ['web'] });
      assert.match(users.journal.join('\n'), /execute pinnace.container.inspect/);
      await assert.rejects(act('volume.remove', [await volume()]), /Still used: stuff by web/);
      assert.match(
        (await act('volume.inspect', [await volume()])).journal.join(''),
        /"Name": "stuff"/,
      );
      await docker('rm', '-f', 'web');
      await act('volume.remove', [await volume()]);
      await docker('volume', 'create', 'spare');
      const { journal } = await act('volume.prune', [], { picks: ['All Unused'] });
      assert.equal(await docker('volume', 'ls', '-q', '-f', 'name=spare'), '', journal.join('\n'));
    });

    test('networks are made, joined, left and removed', async () => {
      await act('network.create', [], { answers: ['back', '10.77.0.0/24'], picks: ['Internal'] });
      await docker('run', '-d', '--name', 'web', 'busybox', 'sleep', '600');
      const network = async (): Promise<Node> => {
        const found = (await NETWORKS.list(client)).find((node) => node.name === 'back');
        assert.ok(found);
        return found;
      };
      await act('network.connect', [await network()], { picks: [['web']] });
      const users = await act('network.users', [await network()], { picks: ['web'] });
      assert.match(users.journal.join('\n'), /execute pinnace.container.inspect/);
      assert.match(
        (await act('network.inspect', [await network()])).journal.join(''),
        /10\.77\.0\./,
      );
      await act('network.disconnect', [await network()], { picks: [['web']] });
      await act('network.remove', [await network()]);
      await docker('network', 'create', 'spare');
      const { journal } = await act('network.prune');
      assert.match(journal.at(-1) ?? '', /spare/);
      const bridge = (await NETWORKS.list(client)).find((node) => node.name === 'bridge');
      assert.ok(bridge);
      await assert.rejects(act('network.remove', [bridge]), /cannot be removed/);
      await docker('rm', '-f', 'web');
    });

    test('a shell opens with its terminal, its size and its end', async () => {
      await run('web', 'sleep', '600');
      sessions = [];
      await act('container.shell', [await container('web')]);
      const text = await shown(sessions, 'stty size; echo "$TERM"; exit 5\n');
      assert.match(text, /\r\n24 80\r\nxterm-256color\r\n/);
      assert.match(text, /\[5\]$/);
      await docker('rm', '-f', 'web');
    });

    test('a container without a shell gets one, and is left as it was', async () => {
      const context = join(dir, 'bare');
      mkdirSync(context);
      // The static program itself under a name that is no shell.
      copyFileSync(join(ROOT, 'out', 'native', 'busybox'), join(context, 'sleep'));
      writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY sleep /sleep\n');
      await build('bare', context);
      await docker('run', '-d', '--network', 'none', '--name', 'bare', 'bare', '/sleep', '600');
      sessions = [];
      const { journal } = await act('container.shell', [await container('bare')]);
      assert.equal(
        journal.some((line) => line.startsWith('confirm')),
        served.missing.includes('pinnace'),
      );
      const text = await shown(sessions, 'echo in $((1+1)); ls /; exit\n');
      assert.match(text, /in 2\r\n/);
      assert.match(text, /\[0\]$/);
      assert.deepEqual(
        ((await client.containers.changes('bare')) ?? []).filter(({ Path }) =>
          /pinnace/.test(Path),
        ),
        [],
      );
      await docker('rm', '-f', 'bare');
      await docker('rmi', 'bare');
    });

    test('attaching shows what the program writes and takes what is typed', async () => {
      await docker(
        'run',
        '-di',
        '--network',
        'none',
        '--name',
        'echo',
        'busybox',
        'sh',
        '-c',
        'read line; echo "got $line"; exit 4',
      );
      sessions = [];
      await act('container.attach', [await container('echo')]);
      assert.match(await shown(sessions, 'hello\r'), /got hello\r\n\[4\]$/);
      await docker('rm', '-f', 'echo');
    });

    test('a log is followed over a restart, each line once', async () => {
      await run('log', 'sh', '-c', 'echo "\u001b[31mred\u001b[0m"; echo bad >&2; sleep 0.3');
      await docker('wait', 'log');
      const lines: LogLine[] = [];
      const states: string[] = [];
      const feed = createFeed((message) => {
        if (message.type === 'lines') {
          lines.push(...message.lines);
          setImmediate(() => feed.more());
        } else if (message.type === 'state') states.push(message.text);
      });
      const abort = new AbortController();
      const node = await container('log');
      const following = followLog(
        client,
        node.kind === 'container' ? node.id : '',
        feed,
        abort.signal,
      );
      await until(() => lines.length === 2 && states.includes('Exited with status 0'));
      await docker('start', 'log');
      await until(() => lines.length === 4);
      const texts = lines.map(([stream, , text]) => `${stream} ${text}`).sort();
      assert.deepEqual(texts, ['0 red', '0 red', '1 bad', '1 bad']);
      assert.deepEqual(lines.find(([stream]) => stream === 0)?.[3], [[0, 3, 1, -1, 0]]);
      await docker('rm', '-f', 'log');
      await until(() => states.includes('The container was removed'));
      abort.abort();
      await following;
    });

    if (name === 'Pinnace')
      test('ports of an open container are carried while something listens, as its configuration says', async () => {
        const attributes = { 8001: { label: 'App' }, 8002: { onAutoForward: 'ignore' } };
        const text = JSON.stringify({ image: 'busybox', portsAttributes: attributes });
        const told: ToldPort[] = [];
        const ports = new OpenPorts({
          forwards: createForwards({ dial: (id, port) => client.containers.dial(id, port) }),
          listening: (id) => client.containers.listeningPorts(id),
          tell: (port) => {
            told.push(port);
            return Promise.resolve(false);
          },
          show: () => Promise.reject(new Error('nobody wants to see it')),
          complain: (error) => assert.fail(String(error)),
        });
        try {
          await run('dev', 'sleep', '600');
          const { config } = parseDevContainer(text);
          ports.watch({ containerId: 'dev', name: 'dev', port: 1, config });
          const serve = 'echo hi > /index.html; httpd -p 8001 -h /; httpd -p 8002 -h /';
          await docker('exec', 'dev', 'sh', '-c', serve);
          await until(() => told.length > 0);
          const [{ port, label, of, local } = assert.fail()] = told;
          assert.deepEqual([port, label, of], [8001, 'App', 'dev']);
          const page = (): Promise<string> =>
            fetch(`http://127.0.0.1:${local}/`).then(
              (answer) => answer.text(),
              (error: unknown) => String((error as Error).cause),
            );
          assert.equal(await page(), 'hi\n');
          await docker('exec', 'dev', 'killall', 'httpd');
          await until(async () => (await page()).includes('ECONNREFUSED'));
          assert.equal(told.length, 1);
        } finally {
          ports.dispose();
          await docker('rm', '-f', 'dev');
        }
      });

    if (name === 'Pinnace')
      test('a port that is not published is reached from here', async () => {
        await docker(
          'run',
          '-d',
          '--name',
          'http',
          'busybox',
          'sh',
          '-c',
          'mkdir /w; echo hi > /w/index.html; httpd -f -p 8000 -h /w',
        );
        const forwards = createForwards({ dial: (id, port) => client.containers.dial(id, port) });
        try {
          const port = await forwards.open('http', 8000);
          assert.equal(await forwards.open('http', 8000), port);
          await until(
            async () =>
              (await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined))?.ok === true,
          );
          assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'hi\n');
        } finally {
          forwards.close();
          await docker('rm', '-f', 'http');
        }
      });
    else
      test('a port that is not published is refused with the way out, a published one is opened', async () => {
        await run('shut', 'sleep', '600');
        await assert.rejects(
          act('container.browse', [await container('shut')]),
          /shut publishes no TCP port\. Create it again with -p to reach it\./,
        );
        await docker('run', '-d', '--name', 'open', '-p', '127.0.0.1::80', 'busybox', 'sleep', '9');
        const { journal } = await act('container.browse', [await container('open')]);
        assert.match(journal.join('\n'), /open http:\/\/127\.0\.0\.1:\d+/);
      });
  });
}

/** What the last terminal showed for what was typed, with its status. */
async function shown(sessions: readonly TerminalSession[], typed = ''): Promise<string> {
  const session = sessions.at(-1);
  assert.ok(session, 'no terminal was opened');
  const input = new PassThrough();
  const output = new PassThrough();
  const chunks: Buffer[] = [];
  let asked = false;
  output.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    // Typed once the other end has said something: a prompt, a greeting.
    if (!asked && typed !== '') setTimeout(() => input.write(typed), 200);
    asked = true;
  });
  const status = await session.run({
    input,
    output,
    size: { columns: 80, rows: 24 },
    onResize: () => undefined,
    signal: AbortSignal.timeout(20_000),
  });
  return `${Buffer.concat(chunks).toString('utf8')}[${status}]`;
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await holds())) {
    assert.ok(performance.now() < deadline, 'it took longer than ten seconds');
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
