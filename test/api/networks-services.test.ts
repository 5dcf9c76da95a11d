/** Real services of Debian in containers, used by an application in another one by name; apt through the host's own mirror settings; and docker-py's network calls, compared with dockerd's answers. */

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ensurePackages } from '../../scripts/lib/debian.ts';
import { archiveOf, makeImages, SERVICES_IMAGE } from '../../scripts/lib/images.ts';
import { startDockerd } from '../support/dockerd.ts';
import {
  command,
  ROOT,
  startTestEngine,
  type EngineMode,
  type TestEngine,
} from '../support/engine.ts';
import { freePort, removeAll } from '../support/network.ts';

for (const mode of ['system', 'rootless', 'single-id'] as const) {
  describe(`services and applications in mode ${mode}`, () => suite(mode));
}

const POSTGRES =
  'initdb -D /tmp/data --auth=trust >/tmp/log && echo "host all all all trust" >> /tmp/data/pg_hba.conf && exec postgres -D /tmp/data -k /tmp -c listen_addresses=*';

function suite(mode: EngineMode): void {
  let engine: TestEngine;
  const docker = (...args: string[]): Promise<string> => engine.docker(...args);

  before(async () => {
    await makeImages([SERVICES_IMAGE, 'debian:bookworm-slim', 'busybox:latest']);
    engine = await startTestEngine(mode);
    for (const name of [SERVICES_IMAGE, 'debian:bookworm-slim', 'busybox:latest'])
      await docker('load', '-i', archiveOf(name));
    await docker('network', 'create', 'app');
  });
  afterEach(async () => {
    await removeAll(engine);
    if ((await engine.tryDocker(['network', 'inspect', 'app'])).status !== 0)
      await docker('network', 'create', 'app');
  });
  after(async () => {
    assert.deepEqual(await engine.close(), [], 'nothing is left behind');
  });

  const service = (name: string, ...rest: string[]): Promise<string> =>
    docker('run', '-d', '--name', name, '--network', 'app', ...rest);

  /** Runs an application's script beside the services until it succeeds, for 20 s. */
  async function apply(script: string): Promise<string> {
    const run = ['run', '--rm', '--network', 'app', SERVICES_IMAGE, 'sh', '-ec', script];
    for (const end = Date.now() + 20_000; ;) {
      const done = await engine.tryDocker(run);
      if (done.status === 0) return done.stdout.trim();
      assert.ok(Date.now() < end, done.stderr);
      await delay(200);
    }
  }

  test('Redis serves an application by name, a hundred thousand commands, and the host by a port', async () => {
    const port = await freePort();
    const redis = ['redis-server', '--bind', '0.0.0.0', '--protected-mode', 'no', '--save', ''];
    await service('cache', '-p', `127.0.0.1:${port}:6379`, SERVICES_IMAGE, ...redis);
    assert.equal(
      await apply('redis-cli -h cache set ship ahoy && redis-cli -h cache get ship'),
      'OK\nahoy',
    );
    const many = 'i=0; while [ $i -lt 1000 ]; do i=$((i+1)); echo "INCRBY n 1"; done';
    const count = await apply(
      `redis-cli -h cache del n; for turn in 1 2 3 4 5 6 7 8 9 10; do { ${many}; } | redis-cli -h cache --pipe >/dev/null; done; redis-cli -h cache get n`,
    );
    assert.match(count, /10000$/);
    await apply(
      'redis-benchmark -h cache -q -n 100000 -c 50 -P 16 -t set,get | grep -c "requests per second"',
    );
    assert.equal(await pong(port), '+PONG\r\n');
  });

  test('PostgreSQL serves an application by name, with rows in and out', async () => {
    // initdb refuses user 0, the only one that a single id has: Redis stands for both there.
    if (mode === 'single-id') {
      const refused = await engine.tryDocker([
        'run',
        '--rm',
        SERVICES_IMAGE,
        'initdb',
        '-D',
        '/tmp/data',
      ]);
      assert.match(refused.stderr, /cannot be run as root/);
      return;
    }
    await service('db', '--user', 'postgres', SERVICES_IMAGE, 'sh', '-c', POSTGRES);
    const sql = `create table t(id int primary key, text text); insert into t select n, repeat('x', 1000) from generate_series(1, 5000) n; select count(*), sum(length(text)) from t`;
    const psql = 'psql -h db -U postgres -qAt';
    await apply(`${psql} -c 'select 1'`);
    assert.equal(await apply(`${psql} -c "${sql}"`), '5000|5000000');
    assert.equal(await apply(`${psql} -c 'select text from t' | wc -c`), '5005000');
  });

  test('apt-get update works in a container through the host’s own mirror settings', async () => {
    // Not all of /etc/apt: what the engine adds to it in single-id mode must show.
    const settings = [
      ...['sources.list.d', 'trusted.gpg.d'].map((name) => `/etc/apt/${name}`),
      ...readdirSync('/etc/apt/apt.conf.d').map((name) => `/etc/apt/apt.conf.d/${name}`),
      '/usr/share/keyrings',
    ].filter((path) => existsSync(path));
    const list = existsSync('/etc/apt/sources.list') ? '/etc/apt/sources.list' : '/dev/null';
    const mounts = [
      ...settings.map((path) => `${path}:${path}:ro`),
      `${list}:/etc/apt/sources.list:ro`,
    ];
    const update = await engine.tryDocker(
      [
        'run',
        '--rm',
        ...mounts.flatMap((mount) => ['-v', mount]),
        'debian:bookworm-slim',
        'apt-get',
        'update',
        '-qq',
      ],
      { timeout: 180_000 },
    );
    assert.equal(update.status, 0, update.stderr);
    assert.doesNotMatch(update.stderr, /^(E|Err|W):/m);
  });

  if (mode === 'system')
    test('docker-py’s network calls are answered as dockerd answers them', async () => {
      const python = await dockerPy();
      const script = join(import.meta.dirname, 'docker_py_networks.py');
      const ask = async (address: string): Promise<unknown> => {
        const done = await command([python, script], {
          env: { DOCKER_HOST: address },
          timeout: 120_000,
        });
        assert.equal(done.status, 0, done.stderr);
        return JSON.parse(done.stdout) as unknown;
      };
      const dir = mkdtempSync('/tmp/pinnace-dockerd-');
      await ensurePackages(['docker.io']);
      const peer = await startDockerd(dir);
      assert.ok(peer, 'dockerd does not start here');
      await docker('network', 'rm', 'app');
      try {
        const env = { DOCKER_HOST: peer.address };
        const loaded = await command(['docker', 'load', '-i', archiveOf('busybox:latest')], {
          env,
        });
        assert.equal(loaded.status, 0, loaded.stderr);
        assert.deepEqual(await ask(engine.address), await ask(peer.address));
      } finally {
        await peer.stop();
        rmSync(dir, { recursive: true, force: true });
      }
    });
}

/** What a Redis on this host's port says to PING. */
function pong(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write('PING\r\n');
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('data', (data) => {
      socket.destroy();
      resolve(String(data));
    });
  });
}

/** A Python with docker-py, made once from the package index. */
async function dockerPy(): Promise<string> {
  const dir = join(ROOT, '.cache', 'docker-py');
  const python = join(dir, 'bin', 'python');
  if (existsSync(join(dir, 'ready'))) return python;
  for (const words of [
    ['python3', '-m', 'venv', '--clear', dir],
    [python, '-m', 'pip', 'install', '--quiet', 'docker==7.1.0'],
    ['touch', join(dir, 'ready')],
  ]) {
    const done = await command(words, { timeout: 180_000 });
    assert.equal(
      done.status,
      0,
      `${words.join(' ')} (apt-get install python3-venv): ${done.stderr}`,
    );
  }
  return python;
}
