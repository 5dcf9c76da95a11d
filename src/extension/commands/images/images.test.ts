/** The commands on images at a desk made for the test, and the pure parts beneath: progress, words, ports, history. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ImageSummary } from '../../../lib/api/images.ts';
import type { JsonMessage } from '../../../lib/api/system.ts';
import { EngineError } from '../../../lib/errors.ts';
import type { ImageNode, Node } from '../../views/nodes.ts';
import { type FakeAnswers, fakeDesk } from '../fake-desk.ts';
import { imageNodes } from '../targets.ts';
import { historyText } from './inspect.ts';
import { parsePorts, parseVariables, splitWords } from './run-input.ts';
import { IMAGE_COMMANDS } from './table.ts';
import { follow, Transfer } from './transfer.ts';

const ID = `sha256:${'a'.repeat(64)}`;

function summary(tags: readonly string[] | null, more: object = {}): ImageSummary {
  const base = {
    Id: ID,
    RepoTags: tags,
    RepoDigests: [],
    Size: 2_000_000,
    Created: 0,
    Containers: -1,
  };
  return { ...base, ...more } as unknown as ImageSummary;
}

function image(tag: string, more: object = {}): ImageNode {
  const [node] = imageNodes(summary([tag], more));
  assert.ok(node);
  return node;
}

async function run(
  verb: string,
  targets: readonly Node[],
  answers: FakeAnswers = {},
  argument?: unknown,
): Promise<readonly string[]> {
  const command = IMAGE_COMMANDS.find(({ id }) => id === `pinnace.image.${verb}`);
  assert.ok(command, verb);
  const desk = fakeDesk(answers);
  const error: unknown = await desk.run(command, targets, argument).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof Error ? [...desk.journal, `throws ${error.message}`] : desk.journal;
}

/** Calls of the client, noted in `calls`. */
function images(calls: string[], given: object = {}): object {
  const note =
    (name: string) =>
    (...args: unknown[]): Promise<unknown[]> => {
      calls.push(
        [
          name,
          ...args.map((arg) =>
            JSON.stringify(arg, (key, value: unknown) => (key === 'signal' ? undefined : value)),
          ),
        ].join(' '),
      );
      return Promise.resolve([]);
    };
  const containers = { list: () => Promise.resolve([]) };
  return {
    images: {
      tag: note('tag'),
      remove: note('remove'),
      list: () => Promise.resolve([summary(['app:1'])]),
      ...given,
    },
    containers,
  };
}

function messages(...list: readonly JsonMessage[]): AsyncGenerator<JsonMessage> {
  return (async function* () {
    await Promise.resolve();
    yield* list;
  })();
}

test('a pull asks for the name, tells its progress and says what the engine said', async () => {
  const asked: unknown[] = [];
  const client = {
    images: {
      pull: (reference: string, options: { auth?: unknown }) => {
        asked.push([reference, options.auth]);
        return messages(
          { id: 'a', status: 'Downloading', progressDetail: { current: 1, total: 2 } },
          { status: 'Status: Downloaded newer image for alpine:3' },
        );
      },
    },
  };
  const auth = { username: 'ada', password: 'secret' };
  assert.deepEqual(await run('pull', [], { client, answers: [' alpine:3 '], auth }), [
    'ask Pull Image',
    'progress Pulling alpine:3',
    'step 0 of 1 layers, 1 B of 2 B',
    'inform Downloaded newer image for alpine:3',
  ]);
  assert.deepEqual(asked, [['alpine:3', auth]]);
  assert.deepEqual(await run('pull', [], {}), ['ask Pull Image']);
  assert.match((await run('pull', [], { answers: ['A:b:c'] })).join(), /refused/);
});

test('rows of registries and images are pulled as they are', async () => {
  const asked: string[] = [];
  const client = { images: { pull: (reference: string) => (asked.push(reference), messages()) } };
  const tag: Node = { kind: 'tag', host: 'localhost:5000', repository: 'a/b', tag: '1' };
  await run('pull', [tag, image('app:1')], { client });
  assert.deepEqual(asked, ['localhost:5000/a/b:1', 'app:1']);
  const bare = imageNodes(summary([]));
  assert.match((await run('pull', bare, { client })).join(), /throws An image without a tag/);
});

test('a push that is refused offers the way out', async () => {
  const refused = new EngineError('invalid', 'denied: requested access to the resource is denied');
  const client = {
    images: {
      push: async function* (): AsyncGenerator<JsonMessage> {
        await Promise.reject(refused);
        yield {};
      },
    },
  };
  const seen = await run('push', [image('app:1')], { client, buttons: ['Sign In'] });
  assert.deepEqual(seen, [
    'progress Pushing app:1',
    'complain Could not push app:1: denied: requested access to the resource is denied | Sign In | Tag…',
    'execute pinnace.registry.signIn',
  ]);
  assert.deepEqual(await run('push', [image('app:1')], { missing: ['push'] }), [
    'throws Pinnace has no push',
  ]);
  const ok = { images: { push: () => messages({ status: 'pushed' }) } };
  assert.equal(
    (await run('push', [image('app:1')], { client: ok })).at(-1),
    'inform Pushed app:1.',
  );
});

test('tagging', async () => {
  const calls: string[] = [];
  await run('tag', [image('app:1')], { client: images(calls), answers: ['localhost:5000/app'] });
  assert.deepEqual(calls, ['tag "app:1" "localhost:5000/app" "latest"']);
  assert.deepEqual(await run('tag', [image('app:1')], { client: images([]) }), ['ask Tag app:1']);
});

test('removing says which containers hold the image and which names stay', async () => {
  const calls: string[] = [];
  const client = {
    ...images(calls),
    containers: {
      list: () => Promise.resolve([{ Id: 'c', Names: ['/web'], ImageID: ID, State: 'exited' }]),
    },
  };
  assert.deepEqual(
    (await run('remove', [image('app:1')], { client }))[0],
    'confirm Remove image app:1? | Remove by Force',
  );
  const two = imageNodes(summary(['app:1', 'app:2']));
  await run('remove', two.slice(0, 1), { client });
  assert.deepEqual(calls, ['remove "app:1" {"force":true}', 'remove "app:1" {"force":false}']);
  assert.equal((await run('remove', two, { client, confirms: [false] })).length, 1);
});

test('pruning tells the space first and after', async () => {
  const list = [summary(['app:1']), summary([], { Id: 'sha256:b', Size: 5_000_000 })];
  const prune = (filters: unknown): Promise<object> =>
    Promise.resolve({
      ImagesDeleted: [{ Deleted: JSON.stringify(filters) }],
      SpaceReclaimed: 4_000_000,
    });
  const client = images([], { list: () => Promise.resolve(list), prune });
  assert.deepEqual(await run('prune', [], { client, picks: ['Without a Name'] }), [
    'pick Remove which images?',
    'confirm Remove 1 image? | Remove',
    'progress Removing unused images',
    'inform Removed 1 image; 4 MB came free.',
  ]);
  assert.deepEqual(await run('prune', [], { client }), ['pick Remove which images?']);
});

test('copying', async () => {
  const pulled = image('app:1', { RepoDigests: ['other@sha256:1', 'app@sha256:2'] });
  assert.deepEqual(await run('copyName', [pulled]), ['copy app:1']);
  assert.deepEqual(await run('copyId', [pulled]), [`copy ${ID}`]);
  assert.deepEqual(await run('copyDigest', [pulled]), ['copy app@sha256:2']);
  assert.deepEqual(await run('copyDigest', [image('app:1')]), [
    'throws app:1 has no digest: it was never pulled or pushed.',
  ]);
});

test('loading tells what came, and refuses what holds nothing', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pinnace-load-'));
  try {
    const path = join(folder, 'a.tar');
    writeFileSync(path, 'tar');
    const load = (...list: JsonMessage[]): object => ({
      images: {
        load: async function* (archive: NodeJS.ReadableStream): AsyncGenerator<JsonMessage> {
          for await (const chunk of archive) assert.ok(chunk);
          yield* list;
        },
      },
    });
    const client = load({ stream: 'Loaded image: app:1\n' });
    assert.equal((await run('load', [], { client, files: [path] })).at(-1), 'inform Loaded app:1.');
    assert.equal(
      (await run('load', [], { client }, { fsPath: path })).at(-1),
      'inform Loaded app:1.',
    );
    assert.match(
      (await run('load', [], { client: load(), files: [path] })).at(-1) ?? '',
      /holds no image/,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a run that cannot start leaves no container', async () => {
  const calls: string[] = [];
  const client = {
    images: { inspect: () => Promise.resolve({ Config: { ExposedPorts: { '80/tcp': {} } } }) },
    containers: {
      create: (_name: unknown, request: { HostConfig: object }) => {
        calls.push(JSON.stringify(request.HostConfig));
        return Promise.resolve({ Id: 'c1' });
      },
      start: () => Promise.reject(new EngineError('conflict', 'no such program')),
      remove: (id: string) => Promise.resolve(void calls.push(`remove ${id}`)),
    },
  };
  assert.deepEqual(
    await run('run', [image('app:1')], { client, picks: ['Publish on Free Ports'] }),
    ['pick The image exposes 80/tcp', 'progress Starting app:1', 'throws no such program'],
  );
  assert.deepEqual(calls, ['{"PublishAllPorts":true}', 'remove c1']);
});

test('an interactive run asks four things and gives up at Escape', async () => {
  const made: unknown[] = [];
  const client = {
    images: { inspect: () => Promise.resolve({ Config: { Cmd: ['sh'] } }) },
    containers: {
      create: (name: unknown, request: object) => {
        made.push(name, request);
        return Promise.reject(new EngineError('conflict', 'stop here'));
      },
    },
  };
  await run('runInteractive', [image('app:1')], {
    client,
    answers: ['ls -l "a b"', 'box', '8080:80', 'A=1'],
  });
  assert.equal(made[0], 'box');
  const request = made[1] as { Cmd: string[]; Env: string[]; HostConfig: { PortBindings: object } };
  assert.deepEqual(request.Cmd, ['ls', '-l', 'a b']);
  assert.deepEqual(request.Env, ['TERM=xterm-256color', 'A=1']);
  assert.deepEqual(request.HostConfig.PortBindings, {
    '80/tcp': [{ HostIp: '', HostPort: '8080' }],
  });
  assert.equal(
    (await run('runInteractive', [image('app:1')], { client, answers: ['', ''] })).length,
    3,
  );
});

test('progress of all layers is one number that never falls', async () => {
  const layer = (id: string, status: string, current = 0, total = 0): JsonMessage => ({
    id,
    status,
    progressDetail: { current, total },
  });
  const transfer = new Transfer();
  transfer.push({ id: 'latest', status: 'Pulling from library/alpine' });
  assert.equal(transfer.percent, 0);
  transfer.push(layer('a', 'Pulling fs layer'));
  transfer.push(layer('b', 'Already exists'));
  assert.equal(transfer.percent, 50);
  transfer.push(layer('a', 'Downloading', 50, 100));
  assert.equal(transfer.text, '1 of 2 layers, 50 B of 100 B');
  transfer.push(layer('a', 'Extracting', 1, 100));
  assert.match(transfer.text, /unpacking$/);
  transfer.push(layer('a', 'Pull complete'));
  transfer.push({ status: 'Digest: sha256:'.padEnd(79, 'a') });
  assert.equal(transfer.percent, 100);
  assert.ok(transfer.digest?.startsWith('sha256:'));
  let sum = 0;
  await follow(
    messages(layer('a', 'Downloading', 90, 100), layer('b', 'Pulling fs layer')),
    ({ increment = 0 }) => {
      assert.ok(increment >= 0);
      sum += increment;
    },
  );
  assert.ok(sum <= 100);
});

test('words, ports and variables as people type them', () => {
  assert.deepEqual(splitWords(`sh -c 'echo "$A"' "x y" a\\ b ""`), [
    'sh',
    '-c',
    'echo "$A"',
    'x y',
    'a b',
    '',
  ]);
  assert.throws(() => splitWords('"open'), /not closed/);
  assert.deepEqual(parsePorts('8080:80, 127.0.0.1::53/udp 9000').bindings, {
    '80/tcp': [{ HostIp: '', HostPort: '8080' }],
    '53/udp': [{ HostIp: '127.0.0.1', HostPort: '' }],
    '9000/tcp': [{ HostIp: '', HostPort: '' }],
  });
  for (const wrong of ['x', '0', '70000', '1:2:3:4', '80/icmp'])
    assert.throws(() => parsePorts(wrong), /Not a port/);
  assert.deepEqual(parseVariables('A=1 B="x y"'), ['A=1', 'B=x y']);
  assert.throws(() => parseVariables('A'), /NAME=value/);
});

test('history is one line a step, without what builders noted around it', () => {
  const step = (CreatedBy: string): Parameters<typeof historyText>[0][number] => ({
    Id: '<missing>',
    Created: 0,
    CreatedBy,
    Tags: null,
    Size: 1500,
    Comment: '',
  });
  const text = historyText([
    step('/bin/sh -c #(nop)  CMD ["sh"]'),
    step('/bin/sh -c apt-get update'),
    step('COPY a b # buildkit'),
  ]);
  assert.match(text, /1\.5 kB {2}CMD \["sh"\]\n/);
  assert.match(text, /RUN apt-get update\n/);
  assert.match(text, /COPY a b\n$/);
});
