/** What Remote-SSH extensions do with a host, done with Debian's own ssh in a container: a script on bash's standard input, a server that it starts and that stays, and connections to it through a dynamic forward. */
import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { archiveOf, makeImages } from '../../scripts/lib/images.ts';
import { ensureHost, HOST_NODE } from '../../scripts/lib/workbench.ts';
import { readProduct } from '../../src/client/vscode-server/product.ts';
import { passingOf } from '../../src/extension/resolver/passing.ts';
import { end } from '../support/children.ts';
import { command, type Result, ROOT, startTestEngine, type TestEngine } from '../support/engine.ts';
import { freePort } from '../support/network.ts';
import { connectManagement } from '../support/vscode-client.ts';

const SERVER = join(ROOT, 'test/workbench/host/node_modules/code-server/lib/vscode');
const PLACE = '/home/dev/.vscode-server';
const TOKEN = 'a-token-of-the-window';

let engine: TestEngine;
let dir: string;
let config: string;
let commit: string;
let socks: number;
let session: ChildProcessWithoutNullStreams | undefined;
let said = '';
let listening = 0;

before(async () => {
  await ensureHost();
  commit = readProduct(SERVER).commit;
  dir = mkdtempSync('/tmp/pinnace-rem-');
  await makeImages(['debian:bookworm-slim']);
  engine = await startTestEngine('system');
  await engine.docker('load', '-q', '-i', archiveOf('debian:bookworm-slim'));
  await engine.docker(
    ...['run', '-d', '--init', '--name', 'box', '--hostname', 'inside'],
    // As the extension's download leaves it.
    ...['-v', `${SERVER}:${PLACE}/bin/${commit}:ro`, '-v', `${HOST_NODE}:${PLACE}/node:ro`],
    ...['debian:bookworm-slim', 'sleep', '100000'],
  );
  await engine.docker('exec', 'box', 'useradd', '-s', '/bin/bash', 'dev');
  await engine.docker('exec', 'box', 'chown', 'dev', '/home/dev', PLACE);
  mkdirSync(join(dir, 'ssh'));
  config = (
    await command([join(ROOT, 'bin', 'pinnace'), 'ssh', '--config'], { env: environment() })
  ).stdout.trim();
  socks = await freePort();
});

after(async () => {
  session?.kill('SIGKILL');
  const left = await engine.close();
  rmSync(dir, { recursive: true, force: true });
  assert.deepEqual(left, []);
});

test('the host is asked what it is', async () => {
  const { stdout, stderr } = await ssh([
    'dev@pinnace.box',
    'uname -sm; echo "$HOME $SHELL"; id -un',
  ]);
  assert.equal(stdout, 'Linux x86_64\n/home/dev /bin/bash\ndev\n', stderr);
});

test('a script on the standard input of bash starts the server, and its session stays', async () => {
  const began = performance.now();
  const options = ['-v', '-T', '-D', String(socks), '-o', 'ConnectTimeout=15'];
  const env = { ...process.env, ...environment() };
  session = spawn('ssh', ['-F', config, ...options, 'dev@pinnace.box', 'bash'], { env });
  session.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  let log = '';
  session.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
  session.stdin.write(bootstrap());
  const answer = /listeningOn==(\d+)==[^]*: end\n/;
  const deadline = Date.now() + 60_000;
  while (!answer.test(said)) {
    assert.equal(session.exitCode, null, `the session ended: ${said}\n${log}`);
    assert.ok(Date.now() < deadline, `${said}\n${log}`);
    await Promise.race([once(session.stdout, 'data'), once(session, 'exit')]);
  }
  listening = Number(answer.exec(said)?.[1]);
  console.log(`a server over ssh listened after ${(performance.now() - began).toFixed(0)} ms`);
  assert.match(said, /^a1b2: running\nplatform==Linux==\narch==x86_64==\nhost==inside==\n/);
  assert.match(said, /token==a-token-of-the-window==/);
});

test('the server is reached through the dynamic forward, as the window reaches it', async () => {
  const version = await throughSocks('127.0.0.1', listening);
  version.write('GET /version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  assert.ok((await readAll(version)).includes(commit));
  const window = await connectManagement(passingOf(await throughSocks('localhost', listening)), {
    token: TOKEN,
    commit,
  });
  const environment = (await window.call('remoteextensionsenvironment', 'getEnvironmentData', {
    remoteAuthority: 'ssh-remote+box',
  })) as Record<string, { path?: string }>;
  assert.equal(environment['appRoot']?.path, `${PLACE}/bin/${commit}`);
  window.end();
});

test('a port that nobody listens on is refused, and the session goes on', async () => {
  await assert.rejects(throughSocks('127.0.0.1', 9), /refused by the other side/);
  const again = await throughSocks('127.0.0.1', listening);
  again.write('GET /version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  assert.ok((await readAll(again)).includes(commit));
});

test('many connections at once carry their own bytes', async () => {
  const answers = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const socket = await throughSocks('127.0.0.1', listening);
      socket.write('GET /version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
      return readAll(socket);
    }),
  );
  for (const answer of answers) assert.ok(answer.includes(commit));
});

test('further commands share the connection where ssh is told to', async () => {
  const shared = ['-o', 'ControlMaster=auto', '-o', `ControlPath=${dir}/ssh/%C`];
  const keep = ['-o', 'ControlPersist=20'];
  const first = await ssh([...shared, ...keep, 'dev@pinnace.box', 'echo one']);
  assert.equal(first.stdout, 'one\n', first.stderr);
  const both = await Promise.all(
    ['two', 'three'].map((word) => ssh([...shared, 'dev@pinnace.box', `cat; echo ${word}`], word)),
  );
  assert.deepEqual(
    both.map(({ stdout }) => stdout),
    ['twotwo\n', 'threethree\n'],
  );
  assert.equal((await ssh([...shared, '-O', 'exit', 'dev@pinnace.box'])).status, 0);
});

test('the server outlives the session, for the next one to find', async () => {
  assert.ok(session !== undefined);
  await end(session);
  const script = `kill -0 "$(cat ${PLACE}/pid)" && cat ${PLACE}/port`;
  const { stdout, stderr } = await ssh(['dev@pinnace.box', script]);
  assert.equal(stdout.trim(), String(listening), stderr);
});

/** In our own words what the extensions' scripts do: say who is there, make the folder, write the token, start, wait for the port, say it. */
function bootstrap(): string {
  return `
echo "a1b2: running"
echo "platform==$(uname -s)=="
echo "arch==$(uname -m)=="
echo "host==$(hostname)=="
umask 077
cd "$HOME/.vscode-server" || exit 1
cat > token <<'TOKEN_END'
${TOKEN}
TOKEN_END
printf %s "$(cat token)" > .token
echo "token==$(cat .token)=="
nohup ./node bin/${commit}/out/server-main.js --start-server --host=127.0.0.1 --port=0 \\
  --connection-token-file "$PWD/.token" --telemetry-level off --enable-remote-auto-shutdown \\
  --accept-server-license-terms --server-data-dir "$PWD" > log 2>&1 < /dev/null &
echo $! > pid
for try in $(seq 300); do
  port=$(sed -n 's/.*Extension host agent listening on \\([0-9]*\\).*/\\1/p' log)
  [ -n "$port" ] && break
  sleep 0.1
done
echo "$port" > port
echo "listeningOn==$port=="
echo "a1b2: end"
`;
}

/** A connection through ssh's SOCKS server (RFC 1928, without a login). */
async function throughSocks(host: string, port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: socks });
  await once(socket, 'connect');
  socket.write(Buffer.from([5, 1, 0]));
  const greeting = await bytes(socket, 2);
  assert.deepEqual([...greeting], [5, 0]);
  const name = Buffer.from(host);
  const number = Buffer.from([port >> 8, port & 0xff]);
  socket.write(Buffer.concat([Buffer.from([5, 1, 0, 3, name.length]), name, number]));
  const reply = await bytes(socket, 10).catch((cause: unknown) => {
    throw new Error(`${host}:${port} was refused by the other side`, { cause });
  });
  if (reply[1] !== 0) throw new Error(`${host}:${port} was refused by the other side`);
  return socket;
}

async function bytes(socket: Socket, count: number): Promise<Buffer> {
  for (;;) {
    const chunk = socket.read(count) as Buffer | null;
    if (chunk !== null) return chunk;
    if (socket.readableEnded || socket.destroyed) throw new Error('the connection ended');
    await Promise.race([once(socket, 'readable'), once(socket, 'close')]);
  }
}

async function readAll(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket as AsyncIterable<Buffer>) text += chunk.toString();
  return text;
}

function ssh(args: readonly string[], input = ''): Promise<Result> {
  return command(['ssh', '-F', config, ...args], {
    env: environment(),
    timeout: 60_000,
    input,
  });
}

function environment(): Record<string, string> {
  return {
    PINNACE_DATA_ROOT: engine.dataRoot,
    PINNACE_RUN_ROOT: engine.runRoot,
    PINNACE_NODE: process.execPath,
    XDG_CONFIG_HOME: join(dir, 'config'),
    XDG_CACHE_HOME: join(dir, 'cache'),
  };
}
