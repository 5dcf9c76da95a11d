/** Open folder in container for an ordinary user, on the rootless engine: whose files they are, what runs inside, and what of the user goes along: settings, identity, keys, ports. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { command } from '../support/engine.ts';
import { typed, wholeText, windowOf } from './parts/inside.ts';
import { NotificationCenter } from './parts/notification-center.ts';
import { until } from './parts/patience.ts';
import type { Workbench } from './parts/workbench.ts';
import { type Bench, withWorkbench } from './rig.ts';

const SHOTS = process.env['PINNACE_SHOTS'];
const WORKSPACE = '/workspaces/folder';

let agent: ChildProcess | undefined;
let inner: Workbench | undefined;

// Before the rig looks for what was left.
after(() => agent?.kill());

const { test } = withWorkbench({
  user: 'ordinary',
  folder: makeFolder,
  settings: { 'pinnace.devcontainer.offer': false, 'editor.fontSize': 17 },
  env: (dir) => ({ SSH_AUTH_SOCK: join(dir, 'agent.sock') }),
  engine: { images: ['busybox:latest'] },
});

test('the folder opens in its container, on an engine without root', async (bench) => {
  const { workbench, user, dir, pinnace } = bench;
  assert.ok(user);
  agent = await startAgent(bench);
  writeFileSync(join(dir, '.gitconfig'), '[user]\n\tname = Ann Other\n\temail = ann@example.org\n');
  const { stdout } = await pinnace('engine', 'status', '--json');
  assert.match(stdout, /"mode":\s*"rootless"/);
  inner = await windowOf(workbench, () => workbench.command('Pinnace: Reopen in Container'));
});

test('its terminal is in the container, as the user whom the configuration names', async (bench) => {
  const { docker, folder } = bench;
  assert.ok(inner);
  await inner.terminal.create();
  const where = await typed(
    inner,
    'echo "$(hostname) $(id -un) $PWD" > where.txt',
    join(folder, 'where.txt'),
  );
  assert.equal(where, `${await docker('ps', '-q')} ann ${WORKSPACE}\n`);
});

test('what is saved and made there belongs to the user on the host', async ({ user, folder }) => {
  assert.ok(inner);
  await inner.editor.open('hello.txt');
  await inner.page.keyboard.press('Control+End');
  await inner.page.keyboard.type('and more');
  await inner.page.keyboard.press('Control+S');
  const file = join(folder, 'hello.txt');
  await until('the file is saved', () => readFileSync(file, 'utf8').includes('and more'));
  for (const path of [file, join(folder, 'where.txt')]) {
    const { uid, gid } = statSync(path);
    assert.deepEqual([uid, gid], [user?.uid, user?.uid], path);
  }
});

test('a task of the folder runs inside', async ({ docker, folder }) => {
  assert.ok(inner);
  await inner.command('Tasks: Run Task');
  await inner.quickInput.pick('where am I');
  const text = await until('the task has run', () => wholeText(join(folder, 'task.txt')));
  assert.equal(text, `${await docker('ps', '-q')} ann\n`);
});

test('the user’s identity and keys go along, and the settings of both', async (bench) => {
  const { folder, docker } = bench;
  assert.ok(inner);
  const id = await docker('ps', '-q');
  assert.equal(
    await docker('exec', '-u', 'ann', id, 'cat', '/home/ann/.gitconfig'),
    '[user]\n\tname = "Ann Other"\n\temail = "ann@example.org"',
  );
  const keys = await typed(
    inner,
    `/.pinnace/node ${WORKSPACE}/keys.cjs > keys.txt`,
    join(folder, 'keys.txt'),
  );
  assert.equal(keys, 'key-of-the-host\n');
  for (const [place, key, value] of [
    ['Machine', 'editor.tabSize', 3],
    ['User', 'editor.fontSize', 17],
  ] as const) {
    const path = `/home/ann/.pinnace-server/data/${place}/settings.json`;
    const settings = await docker('exec', '-u', 'ann', id, 'cat', path);
    assert.equal((JSON.parse(settings) as Record<string, unknown>)[key], value);
  }
});

test('ports that begin to listen are told in its window as the configuration says, and open', async (bench) => {
  const { docker } = bench;
  assert.ok(inner);
  const id = await docker('ps', '-q');
  for (const port of ['3458', '3457', '3456'])
    await docker('exec', '-d', '-u', 'ann', id, '/.pinnace/node', `${WORKSPACE}/serve.cjs`, port);
  const center = new NotificationCenter(inner.page);
  const shop = await center.awaited(/\(Shop\) running on port 3456/);
  if (SHOTS !== undefined) await inner.screenshot(join(SHOTS, 'ports.png'));
  const told = await center.texts();
  assert.ok(!told.some((text) => /345[78]/.test(text)), told.join('\n'));
  const page = inner.page.context().waitForEvent('page');
  await shop.press('Open in Browser');
  const site = await page;
  await site.getByText('served by 3456').waitFor();
  assert.match(site.url(), /\/proxy\/3456\/$/);
  await site.close();
});

test('a port that the configuration wants opened is opened by itself', async ({ docker }) => {
  assert.ok(inner);
  const page = inner.page.context().waitForEvent('page');
  const id = await docker('ps', '-q');
  const serve = ['/.pinnace/node', `${WORKSPACE}/serve.cjs`, '3459'];
  await docker('exec', '-d', '-u', 'ann', id, ...serve);
  const site = await page;
  await site.getByText('served by 3459').waitFor();
  assert.match(site.url(), /\/proxy\/3459\/$/);
});

function makeFolder(folder: string): void {
  for (const dir of ['.devcontainer', '.vscode']) mkdirSync(join(folder, dir));
  const write = (path: string, value: unknown): void =>
    writeFileSync(join(folder, path), typeof value === 'string' ? value : JSON.stringify(value));
  write('hello.txt', 'hello\n');
  write('.devcontainer/devcontainer.json', {
    build: { dockerfile: 'Dockerfile' },
    remoteUser: 'ann',
    portsAttributes: {
      '3456': { label: 'Shop' },
      '3457': { onAutoForward: 'ignore' },
      '3458': { onAutoForward: 'silent' },
      '3459': { onAutoForward: 'openBrowser' },
    },
    customizations: { vscode: { settings: { 'editor.tabSize': 3 } } },
  });
  write('.devcontainer/Dockerfile', DOCKERFILE);
  write('.vscode/tasks.json', {
    version: '2.0.0',
    tasks: [
      {
        label: 'where am I',
        type: 'shell',
        command: 'echo "$(hostname) $(id -un)" > task.txt',
        problemMatcher: [],
      },
    ],
  });
  write('serve.cjs', SERVE);
  write('keys.cjs', KEYS);
}

const DOCKERFILE = `FROM busybox:latest
RUN echo 'ann:x:1500:1500::/home/ann:/bin/sh' >> /etc/passwd && echo 'ann:x:1500:' >> /etc/group \\
 && mkdir -p /home/ann && chown 1500:1500 /home/ann
`;

const SERVE = `require('node:http').createServer((_, answer) => answer.end('served by ' + process.argv[2]))
  .listen(Number(process.argv[2]), '127.0.0.1');`;

/** What \`ssh-add -l\` asks (draft-ietf-sshm-ssh-agent, 3.5): the comments of the agent's keys. */
const KEYS = `const socket = require('node:net').connect(process.env.SSH_AUTH_SOCK);
socket.write(Buffer.from([0, 0, 0, 1, 11]));
let all = Buffer.alloc(0);
socket.on('data', (data) => {
  all = Buffer.concat([all, data]);
  if (all.length < 4 || all.length < 4 + all.readUInt32BE(0)) return;
  let at = 9;
  const text = () => { const length = all.readUInt32BE(at); at += 4 + length; return all.subarray(at - length, at); };
  for (let left = all.readUInt32BE(5); left > 0; left--) { text(); console.log(text().toString()); }
  socket.end();
});`;

/** The user's agent with one key. */
async function startAgent({ dir, user }: Bench): Promise<ChildProcess> {
  assert.ok(user);
  const socket = join(dir, 'agent.sock');
  const as = user.as({ HOME: dir, SSH_AUTH_SOCK: socket });
  const words = [...as, 'ssh-agent', '-D', '-a', socket];
  const child = spawn(words[0] ?? '', words.slice(1), { stdio: 'ignore' });
  await until('the agent listens', () => existsSync(socket));
  const key = join(dir, 'key');
  for (const line of [
    ['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'key-of-the-host', '-f', key],
    ['ssh-add', '-q', key],
  ]) {
    const { status, stderr } = await command([...as, ...line]);
    assert.equal(status, 0, stderr);
  }
  return child;
}
