/** `pinnace ssh` with Debian's own ssh, scp and sftp: commands, terminals, files, forwarding both ways, the agent, and containers without a shell. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeImages } from '../../scripts/lib/images.ts';
import { command, type Result, ROOT, startTestEngine, type TestEngine } from '../support/engine.ts';
import { freePort } from '../support/network.ts';

let engine: TestEngine;
let dir: string;

before(async () => {
  dir = mkdtempSync('/tmp/pinnace-ssh-');
  const images = await makeImages(['busybox:latest', 'debian:bookworm-slim']);
  engine = await startTestEngine('system');
  for (const archive of images.values()) await engine.docker('load', '-q', '-i', archive);
  await engine.docker(
    'run',
    '-d',
    '--init',
    '--name',
    'box',
    '--hostname',
    'inside',
    'debian:bookworm-slim',
    'sleep',
    '100000',
  );
  writeFileSync(
    join(dir, 'Dockerfile'),
    'FROM scratch\nCOPY app /busybox\nCMD ["/busybox", "sleep", "100000"]\n',
  );
  writeFileSync(join(dir, 'app'), readFileSync('/bin/busybox'));
  chmodSync(join(dir, 'app'), 0o755);
  await engine.docker('build', '-q', '-t', 'bare', dir);
  await engine.docker('run', '-d', '--init', '--name', 'bare', '--hostname', 'bare', 'bare');
});

after(async () => {
  const left = await engine.close();
  rmSync(dir, { recursive: true, force: true });
  assert.deepEqual(left, []);
});

test('a command runs with its input, output, errors and status', async () => {
  const result = await ssh(['box', 'cat; hostname; echo bad >&2; exit 7'], { input: 'given\n' });
  assert.equal(result.stdout, 'given\ninside\n');
  assert.equal(result.stderr, 'bad\n');
  assert.equal(result.status, 7);
});

test('megabytes pass unharmed in both directions', async () => {
  const data = randomBytes(20_000_000).toString('base64');
  const result = await ssh(['box', 'cat'], { input: data });
  assert.ok(result.stdout === data);
});

test('a terminal is one, and another user is another user', async () => {
  const { stdout } = await ssh(['-tt', 'box', 'test -t 0 && echo "$TERM"']);
  assert.match(stdout, /^\w+\r\n$/);
  const denied = await ssh(['-l', 'no-such-user', 'box', 'true']);
  assert.notEqual(denied.status, 0);
});

test('sftp and scp carry files, folders, modes and names', async () => {
  const file = join(dir, 'random');
  writeFileSync(file, randomBytes(3_000_000));
  chmodSync(file, 0o640);
  assert.equal((await client('scp', ['-p', file, 'box:/tmp/random'])).stderr, '');
  assert.equal((await ssh(['box', 'stat -c "%a %s" /tmp/random'])).stdout, '640 3000000\n');
  await client('scp', ['-p', 'box:/tmp/random', join(dir, 'back')]);
  assert.ok(readFileSync(file).equals(readFileSync(join(dir, 'back'))));
  assert.equal(statSync(join(dir, 'back')).mode & 0o777, 0o640);
  const batch =
    'mkdir /tmp/d\nrename /tmp/random /tmp/d/ä b\nln -s /tmp/d/x /tmp/link\nls -1 /tmp/d\nrm "/tmp/d/ä b"\nrmdir /tmp/d\n'.replace(
      '/tmp/d/ä b\n',
      '"/tmp/d/ä b"\n',
    );
  const listed = await client('sftp', ['-b', '-', 'box'], { input: batch });
  assert.match(listed.stdout, /\/tmp\/d\/ä b/, listed.stderr);
  assert.equal(listed.status, 0);
  const missing = await client('sftp', ['-b', '-', 'box'], { input: 'get /nope\n' });
  assert.match(missing.stderr, /not found|No such file/);
  assert.equal(
    (await client('scp', ['-r', join(ROOT, 'docs', 'decisions'), 'box:/tmp/'])).status,
    0,
  );
  assert.match((await ssh(['box', 'ls /tmp/decisions'])).stdout, /0014-an-ssh-server\.md/);
});

test('ports are forwarded into the container', async () => {
  await engine.docker(
    'exec',
    '-d',
    'box',
    '/.pinnace/node',
    '-e',
    "require('net').createServer((s)=>s.end('from inside')).listen(8123,'127.0.0.1')",
  );
  const port = await freePort();
  const both = await ssh(
    ['-o', 'ExitOnForwardFailure=yes', '-L', `${port}:localhost:8123`, '-N', 'box'],
    {
      timeout: 6000,
      during: () => command(['busybox', 'nc', '127.0.0.1', String(port)], { timeout: 4000 }),
    },
  );
  assert.equal(both.during?.stdout, 'from inside');
});

test('ports are forwarded out of the container', async () => {
  const server = createServer((socket) => socket.end('from outside'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const read = `/.pinnace/node -e "require('net').connect(9001,'127.0.0.1').pipe(process.stdout)"`;
  const result = await ssh(['-R', `9001:127.0.0.1:${port}`, 'box', read]);
  server.close();
  assert.equal(result.stdout, 'from outside', result.stderr);
});

test('the agent is forwarded when the client asks for it', async () => {
  const key = join(dir, 'key');
  await command(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'of-the-agent', '-f', key]);
  const ask = `/.pinnace/node -e 'const s=require("net").connect(process.env.SSH_AUTH_SOCK,()=>s.write(Buffer.from([0,0,0,1,11])));s.on("data",(d)=>{console.log(d.includes("of-the-agent"));s.end()})'`;
  const script = `ssh-add -q ${key} && exec ssh -A ${OPTIONS.join(' ')} -o "ProxyCommand=${proxy()}" box "$1"`;
  const result = await command(['ssh-agent', 'sh', '-c', script, 'sh', ask], {
    env: environment(),
  });
  assert.equal(result.stdout, 'true\n', result.stderr);
  assert.equal((await ssh(['box', 'echo "[$SSH_AUTH_SOCK]"'])).stdout, '[]\n');
});

test('a container without a shell gets one, and files', async () => {
  assert.equal((await ssh(['bare', 'hostname; echo $0'])).stdout, 'bare\n/.pinnace/bin/sh\n');
  const file = join(dir, 'small');
  writeFileSync(file, 'small\n');
  assert.equal((await client('scp', [file, 'bare:/small'])).stderr, '');
  assert.equal((await ssh(['bare', 'cat /small'])).stdout, 'small\n');
});

test('the Include file leads to containers by name, with a known host key', async () => {
  const file = (
    await command([join(ROOT, 'bin', 'pinnace'), 'ssh', '--config'], { env: environment() })
  ).stdout.trim();
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(statSync(join(file, '..', 'host_ed25519')).mode & 0o777, 0o600);
  const result = await command(['ssh', '-F', file, 'pinnace.box', 'hostname'], {
    env: environment(),
  });
  assert.equal(result.stdout, 'inside\n', result.stderr);
});

const OPTIONS = [
  '-F',
  '/dev/null',
  '-o',
  'StrictHostKeyChecking=no',
  '-o',
  'UserKnownHostsFile=/dev/null',
  '-o',
  'LogLevel=ERROR',
];

function environment(): Record<string, string> {
  return {
    PINNACE_DATA_ROOT: engine.dataRoot,
    PINNACE_RUN_ROOT: engine.runRoot,
    PINNACE_NODE: process.execPath,
    XDG_CONFIG_HOME: join(dir, 'config'),
    XDG_CACHE_HOME: join(dir, 'cache'),
  };
}

function proxy(): string {
  return `${join(ROOT, 'bin', 'pinnace')} ssh %n`;
}

function client(
  program: string,
  args: readonly string[],
  options: { input?: string } = {},
): Promise<Result> {
  return command([program, ...OPTIONS, '-o', `ProxyCommand=${proxy()}`, ...args], {
    env: environment(),
    timeout: 60_000,
    ...options,
  });
}

async function ssh(
  args: readonly string[],
  { during, ...options }: { input?: string; timeout?: number; during?: () => Promise<Result> } = {},
): Promise<Result & { during?: Result }> {
  const running = command(['ssh', ...OPTIONS, '-o', `ProxyCommand=${proxy()}`, ...args], {
    env: environment(),
    timeout: 60_000,
    ...options,
  });
  if (during === undefined) return running;
  const deadline = Date.now() + 5000;
  let met = await during();
  while (met.stdout === '' && Date.now() < deadline) met = await during();
  return { ...(await running), during: met };
}
