/** The commands on containers at a desk made for the test: done, cancelled, refused, several at once. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import type { ContainerSummary } from '../../../lib/api/containers.ts';
import { EngineError } from '../../../lib/errors.ts';
import type { ContainerNode, Node } from '../../views/nodes.ts';
import type { Command } from '../desk.ts';
import { type FakeAnswers, fakeDesk } from '../fake-desk.ts';
import { containerNode } from '../targets.ts';
import { tableText } from './inspect.ts';
import { CONTAINER_COMMANDS } from './table.ts';

function summary(name: string, state = 'running', more: object = {}): ContainerSummary {
  return {
    Id: name.padEnd(64, '0'),
    Names: [`/${name}`],
    Image: 'busybox:latest',
    State: state,
    Status: state === 'running' ? 'Up 3 minutes' : 'Exited (0) 3 minutes ago',
    Ports: [],
    Mounts: [],
    Labels: {},
    HostConfig: { NetworkMode: 'default' },
    NetworkSettings: { Networks: {} },
    ...more,
  } as unknown as ContainerSummary;
}

function node(name: string, state = 'running', more: object = {}): ContainerNode {
  return containerNode(summary(name, state, more));
}

function command(verb: string): Command {
  const found = CONTAINER_COMMANDS.find(({ id }) => id === `pinnace.container.${verb}`);
  assert.ok(found, verb);
  return found;
}

/** Runs a command with containers whose calls are noted. */
async function run(
  verb: string,
  targets: readonly Node[],
  answers: FakeAnswers & { readonly fail?: (id: string) => Error | undefined } = {},
): Promise<readonly string[]> {
  const calls: string[] = [];
  const call =
    (name: string) =>
    (id: string, ...rest: unknown[]): Promise<unknown> => {
      const options = rest
        .filter((item) => item !== undefined)
        .map((item) =>
          JSON.stringify(item, (key, value: unknown) => (key === 'signal' ? undefined : value)),
        );
      calls.push(
        [name, id.replace(/0+$/, ''), ...options.filter((text) => text !== '{}')].join(' '),
      );
      const error = answers.fail?.(id);
      return error === undefined ? Promise.resolve(undefined) : Promise.reject(error);
    };
  const verbs = [
    'start',
    'stop',
    'restart',
    'pause',
    'unpause',
    'kill',
    'remove',
    'rename',
    'commit',
  ];
  const containers = Object.fromEntries(verbs.map((name) => [name, call(name)]));
  const given = (answers.client ?? {}) as { containers?: object };
  const client = { ...given, containers: { ...containers, ...given.containers } };
  const desk = fakeDesk({ ...answers, client });
  const error: unknown = await desk.run(command(verb), targets).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return [
    ...desk.journal,
    ...calls,
    ...(error === undefined
      ? []
      : [`throws ${error instanceof EngineError ? error.kind : ''} ${(error as Error).message}`]),
  ];
}

const list = (...summaries: ContainerSummary[]): object => ({
  containers: { list: () => Promise.resolve(summaries) },
});

test('starting and stopping work on those selected for which it makes sense', async () => {
  assert.deepEqual(await run('start', [node('web', 'exited'), node('db')]), [
    'progress Starting web',
    'start web',
  ]);
  assert.deepEqual(await run('stop', [node('web'), node('db', 'paused'), node('old', 'exited')]), [
    'progress Stopping 2 containers',
    'step web',
    'step db',
    'stop web',
    'stop db',
  ]);
  assert.deepEqual(await run('stop', [node('old', 'exited')]), [
    'throws conflict No container is running.',
  ]);
  assert.deepEqual(await run('restart', [node('web')]), ['progress Restarting web', 'restart web']);
});

test('from the palette the command asks which, and Escape does nothing', async () => {
  const client = list(summary('web'), summary('old', 'exited'));
  assert.deepEqual(await run('stop', [], { client, picks: [['web']] }), [
    'pickMany Stop which containers?',
    'progress Stopping web',
    'stop web',
  ]);
  for (const { id } of CONTAINER_COMMANDS) {
    const verb = id.replace('pinnace.container.', '');
    const seen = await run(verb, [], { client, confirms: [false] });
    assert.equal(
      seen.some((line) =>
        /^(start|stop|restart|pause|kill|remove|rename|commit|throws (?!conflict))/.test(line),
      ),
      false,
      `${verb}: ${seen.join('; ')}`,
    );
  }
});

test('a failure does not keep the others from it, and all are told in one message', async () => {
  const fail = (id: string): Error | undefined =>
    id.startsWith('db') ? undefined : new EngineError('conflict', 'is busy');
  assert.deepEqual(await run('stop', [node('web'), node('db'), node('web2')], { fail }), [
    'progress Stopping 3 containers',
    'step web',
    'step db',
    'step web2',
    'stop web',
    'stop db',
    'stop web2',
    'throws conflict Could not stop 2 of 3 containers. web: is busy · web2: is busy',
  ]);
  const one = await run('pause', [node('web')], { fail });
  assert.equal(one.at(-1), 'throws conflict Could not pause web: is busy');
});

test('a cancelled action starts nothing more', async () => {
  assert.deepEqual(await run('stop', [node('web')], { cancel: true }), [
    'progress Stopping web',
    'throws cancelled stop was cancelled',
  ]);
});

test('an engine that cannot pause says so', async () => {
  assert.deepEqual(await run('pause', [node('web')], { missing: ['pause'] }), [
    'throws not-implemented Pinnace has no pause',
  ]);
  assert.deepEqual(await run('unpause', [node('web', 'paused')]), [
    'progress Unpausing web',
    'unpause web',
  ]);
});

test('killing asks for the signal', async () => {
  assert.deepEqual(await run('kill', [node('web')], { picks: ['SIGHUP'] }), [
    'pick Send which signal?',
    'progress Sending SIGHUP to web',
    'kill web "SIGHUP"',
  ]);
  assert.deepEqual(await run('kill', [node('web')]), ['pick Send which signal?']);
});

const ANONYMOUS = { Type: 'volume', Name: 'a'.repeat(64), Destination: '/data' };

test('removing asks once, and about volumes only where some would be left behind', async () => {
  assert.deepEqual(await run('remove', [node('web'), node('old', 'exited')]), [
    'confirm Remove 2 containers? | Stop and Remove',
    'progress Removing 2 containers',
    'step web',
    'step old',
    'remove web {"force":true,"volumes":false}',
    'remove old {"force":false,"volumes":false}',
  ]);
  assert.deepEqual(await run('remove', [node('old', 'exited')], { confirms: [false] }), [
    'confirm Remove container old? | Remove',
  ]);
  const mounted = node('old', 'exited', { Mounts: [ANONYMOUS] });
  assert.deepEqual((await run('remove', [mounted], { picks: ['Remove'] })).slice(1), [
    'pick Remove its anonymous volume too?',
    'progress Removing old',
    'remove old {"force":false,"volumes":true}',
  ]);
  assert.equal(
    (await run('remove', [mounted])).some((line) => line.startsWith('progress')),
    false,
  );
});

test('renaming judges the name first', async () => {
  assert.deepEqual(await run('rename', [node('web')], { answers: ['shop'] }), [
    'ask Rename web',
    'progress Renaming web',
    'rename web "shop"',
  ]);
  assert.match(
    (await run('rename', [node('web')], { answers: ['a b'] })).join('\n'),
    /refused A name/,
  );
  assert.deepEqual(await run('rename', [node('web')], { answers: ['web'] }), ['ask Rename web']);
});

test('pruning names what goes and tells what came free', async () => {
  const prune = (): Promise<object> =>
    Promise.resolve({ ContainersDeleted: ['x'], SpaceReclaimed: 1_500_000 });
  const client = {
    containers: { list: () => Promise.resolve([summary('web'), summary('old', 'exited')]), prune },
  };
  assert.deepEqual(await run('prune', [], { client }), [
    'confirm Remove stopped container old? | Remove',
    'progress Removing stopped containers',
    'inform Removed 1 container; 1.5 MB came free.',
  ]);
  assert.deepEqual(await run('prune', [], { client: list(summary('web')) }), [
    'throws conflict No container is stopped.',
  ]);
});

test('inspecting shows JSON, processes a table that its button makes again', async () => {
  const client = {
    containers: {
      inspect: () => Promise.resolve({ Id: 'x' }),
      top: (id: string) => Promise.resolve({ Titles: ['PID', 'CMD'], Processes: [['7', id]] }),
    },
  };
  assert.deepEqual(await run('inspect', [node('web')], { client }), [
    'show web.json: {\n  "Id": "x"\n}\n',
  ]);
  const id = node('web').id;
  assert.deepEqual(await run('processes', [node('web')], { client }), [
    `show Processes of web: PID  CMD\n  7  ${id}\n`,
  ]);
  const desk = fakeDesk({ client });
  await desk.run(command('refreshProcesses'), [], { path: '/Processes of web' });
  assert.deepEqual(desk.journal, ['show Processes of web: PID  CMD\n  7  web\n']);
});

test('a table keeps control characters out and its columns straight', () => {
  assert.equal(
    tableText([
      ['PID', 'CMD', 'X'],
      ['1', 'a\u001b[31m', 'y'],
      ['100', 'sleep', ''],
    ]),
    'PID  CMD     X\n  1  a·[31m  y\n100  sleep\n',
  );
});

test('copying gives one line for each', async () => {
  assert.deepEqual(await run('copyName', [node('web'), node('db')]), ['copy web\ndb']);
  assert.deepEqual(await run('copyId', [node('web')]), [`copy ${node('web').id}`]);
  assert.deepEqual(await run('copyImage', [node('web')]), ['copy busybox:latest']);
});

test('logs and stats open their panels', async () => {
  const web = node('web');
  const target = JSON.stringify([{ id: web.id, name: 'web' }]);
  assert.deepEqual(await run('logs', [web]), [`execute _pinnace.logs.open ${target}`]);
  assert.deepEqual(await run('stats', [web]), [`execute _pinnace.stats.open ${target}`]);
  assert.deepEqual(await run('stats', [web], { missing: ['stats'] }), [
    'throws not-implemented Pinnace has no stats',
  ]);
});

test('a published port opens at the machine of the engine, an unpublished one is carried here', async () => {
  const Ports = [{ PrivatePort: 80, PublicPort: 8080, Type: 'tcp', IP: '0.0.0.0' }];
  const client = {
    containers: { listeningPorts: () => Promise.resolve([{ port: 80, address: '0.0.0.0' }]) },
  };
  const web = node('web', 'running', { Ports });
  assert.deepEqual(await run('browse', [web], { client }), ['open http://localhost:8080']);
  const entry = { address: 'ssh://me@build.example' };
  assert.deepEqual(await run('browse', [web], { client, entry }), [
    'open http://build.example:8080',
  ]);
  const inside = {
    containers: { listeningPorts: () => Promise.resolve([{ port: 443, address: '::' }]) },
  };
  const bare = node('web');
  assert.deepEqual(await run('browse', [bare], { client: inside, execute: () => 45_000 }), [
    `execute _pinnace.ports.forward "${bare.id}" "web" 443`,
    'open https://localhost:45000',
  ]);
  assert.match(
    (await run('browse', [bare], { client, missing: ['pinnace'] })).join(''),
    /publishes no TCP port. Create/,
  );
  const both = {
    containers: {
      listeningPorts: () => Promise.resolve([{ port: 9000, address: '::', process: 'node' }]),
    },
  };
  assert.deepEqual(await run('browse', [web], { client: both, picks: ['localhost:8080'] }), [
    'pick Open which port?',
    'open http://localhost:8080',
  ]);
});

test('committing asks for name, message, author and pause, and remembers the author', async () => {
  const seen = await run('commit', [node('web')], {
    answers: ['shop', 'first', 'Ada'],
    picks: ['Pause'],
  });
  assert.deepEqual(seen.slice(3), [
    'pick Pause the container while its files are read?',
    'progress Committing web',
    'refresh image',
    'inform Made shop:latest of web.',
    'commit web {"repo":"shop","tag":"latest","comment":"first","author":"Ada","pause":true}',
  ]);
  assert.match(
    (await run('commit', [node('web')], { answers: ['UPPER'] })).join('\n'),
    /refused .*lowercase/,
  );
  assert.deepEqual(await run('commit', [node('web')], { missing: ['commit'] }), [
    'throws not-implemented Pinnace has no commit',
  ]);
});

test('an export that breaks leaves no file behind', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pinnace-export-'));
  try {
    const path = join(folder, 'web.tar');
    const whole = {
      containers: { export: () => Promise.resolve(Readable.from([Buffer.from('tar')])) },
    };
    const seen = await run('export', [node('web')], { client: whole, files: [path] });
    assert.equal(seen.at(-1), 'inform web.tar is written: 3 B.');
    assert.equal(readFileSync(path, 'utf8'), 'tar');
    rmSync(path);
    const broken = {
      containers: {
        export: () =>
          Promise.resolve(
            new Readable({
              read() {
                this.destroy(new EngineError('unavailable', 'gone'));
              },
            }),
          ),
      },
    };
    const failed = await run('export', [node('web')], { client: broken, files: [path] });
    assert.equal(failed.at(-1), 'throws unavailable gone');
    assert.deepEqual(readdirSync(folder), []);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
