/** Engines on another machine over a real sshd: through `pinnace dial-stdio` and docker's `system dial-stdio`, every way in which that fails, and links that break. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { archiveOf, makeImages } from '../../scripts/lib/images.ts';
import { parseAddress } from '../../src/client/api/addresses.ts';
import { type Client, createClient } from '../../src/client/api/client.ts';
import { createFleet } from '../../src/extension/engine/fleet.ts';
import { createLive } from '../../src/extension/live/live.ts';
import { messageOf } from '../../src/lib/errors.ts';
import { command, ROOT, startTestEngine, type TestEngine } from '../support/engine.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';

let engine: TestEngine;
let dir: string;
let sshd: Sshd;
/** The same machine without docker and pinnace. */
let bare: Sshd;
const clients: Client[] = [];
const path = process.env['PATH'] ?? '';

before(async () => {
  dir = mkdtempSync('/tmp/pinnace-far-');
  await makeImages(['busybox:latest']);
  engine = await startTestEngine('system');
  await engine.docker('load', '-q', '-i', archiveOf('busybox:latest'));
  const far = join(dir, 'far');
  mkdirSync(far);
  const program = join(far, 'pinnace');
  writeFileSync(program, `#!/bin/sh\nexec ${join(ROOT, 'bin', 'pinnace')} "$@"\n`);
  chmodSync(program, 0o755);
  const env = {
    PINNACE_DATA_ROOT: engine.dataRoot,
    PINNACE_RUN_ROOT: engine.runRoot,
    PINNACE_NODE: process.execPath,
    DOCKER_HOST: engine.address,
    PATH: `${far}:/usr/local/bin:/usr/bin:/bin`,
  };
  sshd = await startSshd(folder('sshd'), env);
  const tools = folder('tools');
  for (const name of ['sh', 'bash', 'env']) symlinkSync(join('/usr/bin', name), join(tools, name));
  bare = await startSshd(folder('bare'), { PATH: tools });
  process.env['PATH'] = `${sshd.clientPath}:${path}`;
});

after(async () => {
  process.env['PATH'] = path;
  for (const client of clients) client.close();
  await bare.stop();
  await sshd.stop();
  const left = await engine.close();
  rmSync(dir, { recursive: true, force: true });
  assert.deepEqual(left, []);
});

test('the command joins both kinds of engines, and streams go through unharmed', async () => {
  for (const scheme of ['ssh', 'pinnace+ssh']) {
    const client = open(`${scheme}://root@127.0.0.1:${sshd.port}`);
    assert.ok((await client.system.version()).Version.length > 0);
    const { Id } = await client.containers.create(undefined, {
      Image: 'busybox',
      Cmd: ['cat'],
      OpenStdin: true,
      StdinOnce: true,
    });
    const { socket } = await client.containers.attach(Id, {
      stdin: true,
      stdout: true,
    });
    await client.containers.start(Id);
    const data = randomBytes(300_000).toString('base64');
    socket.end(data);
    let length = 0;
    for await (const chunk of socket as AsyncIterable<Buffer>) length += chunk.length;
    assert.ok(length > data.length, `${length} bytes came back`);
    await client.containers.remove(Id, { force: true });
  }
});

test('the command line works over ssh', async () => {
  const run = (...words: string[]) =>
    command(
      [
        join(ROOT, 'bin', 'pinnace'),
        '--host',
        `pinnace+ssh://root@127.0.0.1:${sshd.port}`,
        ...words,
      ],
      { env: { PINNACE_NODE: process.execPath } },
    );
  const hello = await run('run', '--rm', 'busybox', 'echo', 'from afar');
  assert.equal(hello.stdout, 'from afar\n', hello.stderr);
  const piped = await command(
    [
      'sh',
      '-c',
      `echo in | ${join(ROOT, 'bin', 'pinnace')} "$@"`,
      'sh',
      '--host',
      `ssh://root@127.0.0.1:${sshd.port}`,
      'run',
      '-i',
      '--rm',
      'busybox',
      'cat',
    ],
    {
      env: { PINNACE_NODE: process.execPath },
    },
  );
  assert.equal(piped.stdout, 'in\n', piped.stderr);
});

test('a host that is not known is named, with what to do', async () => {
  sshd.distrust();
  await fails(`ssh://root@127.0.0.1:${sshd.port}`, [
    `ssh://root@127.0.0.1:${sshd.port}: `,
    'Host key verification failed',
    `ssh -p ${sshd.port} root@127.0.0.1`,
  ]);
  sshd.trust();
});

test('a host whose key has changed is not talked to', async () => {
  await bare.changeKey();
  await bare.stop();
  await bare.start();
  await withPath(bare, async () => {
    await fails(`ssh://root@127.0.0.1:${bare.port}`, [
      'its host key is not the one that is known here',
      `ssh-keygen -R '[127.0.0.1]:${bare.port}'`,
    ]);
  });
  bare.trust();
});

test('a user that may not log in, a host that is down and one that nobody knows are named', async () => {
  await fails(`ssh://daemon@127.0.0.1:${sshd.port}`, ['Permission denied', 'ssh-add']);
  await fails('ssh://root@127.0.0.1:1', ['Connection refused', 'check that the host is up']);
  await fails('ssh://root@no-such-host.invalid', ['nobody knows a host no-such-host.invalid']);
});

test('a machine without the command, and one whose Docker does not run, are told apart', async () => {
  await withPath(bare, async () => {
    await fails(`ssh://root@127.0.0.1:${bare.port}`, [
      'not found',
      'neither docker nor pinnace is in the PATH of commands there',
    ]);
    await fails(`pinnace+ssh://root@127.0.0.1:${bare.port}`, [
      'not found',
      'pinnace is not in the PATH',
    ]);
  });
  const silent = await startSshd(folder('silent'), {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    DOCKER_HOST: `unix://${join(dir, 'nobody.sock')}`,
  });
  try {
    await withPath(silent, async () => {
      await fails(`ssh://root@127.0.0.1:${silent.port}`, ['docker is there', 'pinnace+ssh://']);
    });
  } finally {
    await silent.stop();
  }
});

test('a link that breaks ends what was under way with an error, and the next call has a new one', async () => {
  const client = open(`pinnace+ssh://root@127.0.0.1:${sshd.port}`);
  const events = await client.system.watch({});
  const broken = (async () => {
    for await (const event of events) assert.fail(JSON.stringify(event));
  })();
  await until('a link stands', () => sshd.connections() > 0);
  sshd.cut();
  await assert.rejects(broken, (error: Error) => {
    assert.match(error.message, /127\.0\.0\.1/);
    return true;
  });
  assert.ok((await client.system.version()).Version.length > 0);
});

test('an archive whose link breaks half-way is not taken for whole', async () => {
  const client = open(`pinnace+ssh://root@127.0.0.1:${sshd.port}`);
  const archive = await client.images.save(['busybox:latest']);
  const read = (async () => {
    let length = 0;
    for await (const chunk of archive as AsyncIterable<Buffer>) {
      length += chunk.length;
      sshd.cut();
      await delay(50);
    }
    return length;
  })();
  await assert.rejects(read, /127\.0\.0\.1|aborted|closed/);
});

test('the editor is told, and takes the engine up again once it is back', async () => {
  const address = `pinnace+ssh://root@127.0.0.1:${sshd.port}`;
  const log: string[] = [];
  const fleet = createFleet({
    cli: {
      run: () => Promise.reject(new Error('the bundled engine is not for this test')),
    },
    environment: () => ({ PINNACE_RUN_ROOT: join(dir, 'none') }),
    startArguments: () => [],
    surroundings: () => ({ env: {}, uid: 1, setting: [{ name: 'Far', address }] }),
    chosen: () => address,
    remember: () => Promise.resolve(),
    log: (line) => log.push(line),
  });
  const live = createLive({ engines: fleet, log: (line) => log.push(line) });
  try {
    await fleet.find();
    await fleet.refreshActive();
    await until('the engine is followed', () => live.state === 'live', log);
    const began = performance.now();
    sshd.cut();
    const { Id } = await open(engine.address).containers.create(undefined, { Image: 'busybox' });
    await until('what has changed meanwhile is seen', () => live.all('container').has(Id), log);
    console.log(`a cut link stood again after ${(performance.now() - began).toFixed(0)} ms`);
    await sshd.stop();
    await until('the engine is failed', () => fleet.active.state.kind === 'failed', log);
    const { state } = fleet.active;
    assert.match(state.kind === 'failed' ? state.message : '', /check that the host is up/);
    await sshd.start();
    await until('it is back by itself', () => live.state === 'live', log);
    await open(engine.address).containers.remove(Id);
    await until('it is followed again', () => !live.all('container').has(Id), log);
  } finally {
    live.dispose();
    fleet.dispose();
  }
});

function open(address: string): Client {
  const client = createClient(parseAddress(address));
  clients.push(client);
  return client;
}

async function fails(address: string, words: readonly string[]): Promise<void> {
  const message = await open(address)
    .system.version()
    .then(
      () => assert.fail(`${address} answered`),
      (error: unknown) => messageOf(error),
    );
  for (const word of words) assert.ok(message.includes(word), `${word} is not in: ${message}`);
  assert.ok(!message.includes('@@@@'), message);
}

async function withPath(host: Sshd, work: () => Promise<void>): Promise<void> {
  process.env['PATH'] = `${host.clientPath}:${path}`;
  try {
    await work();
  } finally {
    process.env['PATH'] = `${sshd.clientPath}:${path}`;
  }
}

function folder(name: string): string {
  const made = join(dir, name);
  mkdirSync(made, { mode: 0o700 });
  return made;
}

async function until(
  what: string,
  holds: () => boolean,
  log: readonly string[] = [],
): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`${what}: not within 30 s\n${log.join('\n')}`);
    await delay(20);
  }
}
