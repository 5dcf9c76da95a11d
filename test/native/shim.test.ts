// The shim's life with a real container: create, start, wait, kill, exit record, and its own death. As root,
// as an unprivileged user with a subordinate range, and as one without.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Rig, runs, until, type Mode } from './shim-rig.ts';

const modes: readonly Mode[] = ['system', 'rootless', 'single-id'];

for (const mode of modes) {
  describe(`the shim in ${mode} mode`, () => {
    let rig: Rig;
    before(() => {
      rig = new Rig(mode);
    });
    after(async () => {
      await rig.dispose();
    });

    it('reports the container and records it', async () => {
      const shim = rig.create({ args: ['true'] });
      const record = shim.record;
      assert.equal(record['pid'], shim.pid);
      assert.equal(record['startTime'], shim.startTime);
      const stat = readFileSync(`/proc/${String(shim.pid)}/stat`, 'utf8');
      assert.equal(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19], String(shim.startTime));
      assert.equal(statSync(join(shim.dir, 'shim.sock')).mode & 0o777, 0o600);
      const state = await shim.ask({ op: 'state' });
      assert.equal(state['status'], 'created');
      assert.equal(existsSync(shim.exitFile), false);
      await shim.start();
      assert.equal((await shim.exit())['exitCode'], 0);
    });

    it('answers waiters and writes the exit file with the exit code', async () => {
      const shim = rig.create({ args: ['sh', '-c', 'exit 42'] });
      const waiters = [shim.open({ op: 'wait', exec: null }), shim.open({ op: 'wait' })];
      await shim.start();
      for (const waiter of waiters) {
        const answer = await waiter.line();
        assert.equal(answer['ok'], true);
        assert.equal(answer['exitCode'], 42);
        const record = JSON.parse(readFileSync(shim.exitFile, 'utf8')) as Record<string, unknown>;
        assert.deepEqual({ ok: true, ...record }, answer);
        waiter.socket.destroy();
      }
      const record = await shim.exit();
      assert.equal(record['signal'], null);
      assert.equal(record['oomKilled'], false);
      assert.equal(record['error'], null);
      assert.match(String(record['finishedAt']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/u);
      await until(() => !runs(shim.shimPid), 'the end of the shim');
      assert.equal(existsSync(join(shim.dir, 'shim.sock')), false);
    });

    it('records the signal that killed the container', async () => {
      const shim = await rig.started({ args: ['sleep', '1000'] });
      assert.equal((await shim.ask({ op: 'state' }))['status'], 'running');
      assert.deepEqual(await shim.ask({ op: 'kill', signal: 9 }), { ok: true });
      const record = await shim.exit();
      assert.equal(record['exitCode'], 137);
      assert.equal(record['signal'], 9);
    });

    it('delivers a signal that the program handles', async () => {
      const script = 'trap "exit 7" TERM; echo ready; while :; do sleep 0.05; done';
      const shim = rig.create({ args: ['sh', '-c', script] });
      const client = await shim.attach();
      await shim.start();
      await until(() => client.received.includes('ready'), 'the trap');
      await shim.ask({ op: 'kill', signal: 15 });
      assert.equal((await shim.exit())['exitCode'], 7);
      client.socket.destroy();
    });

    it('says what could not be executed, with 127 and 126', async () => {
      const missing = rig.create({ args: ['/bin/nothing-here'] });
      const answer = await missing.ask({ op: 'start' });
      const error = answer['error'] as Record<string, unknown>;
      assert.equal(error['errno'], 'ENOENT');
      assert.match(`${String(error['path'])} ${String(error['message'])}`, /nothing-here/u);
      assert.equal((await missing.exit())['exitCode'], 127);
      const refused = rig.create({ args: ['/etc/passwd'] });
      const denied = (await refused.ask({ op: 'start' }))['error'] as Record<string, unknown>;
      assert.equal(denied['errno'], 'EACCES');
      const record = await refused.exit();
      assert.equal(record['exitCode'], 126);
      assert.match(String(record['error']), /./u);
    });

    it('tears down a container that was never started', async () => {
      const shim = rig.create({ args: ['true'] });
      const { shimPid } = shim;
      assert.deepEqual(await shim.ask({ op: 'stop-created' }), { ok: true });
      await until(() => !runs(shim.pid) && !runs(shimPid), 'the end of both');
      assert.equal(existsSync(shim.exitFile), false);
      assert.equal(existsSync(join(shim.dir, 'shim.sock')), false);
      assert.equal(existsSync(join(shim.dir, 'shim.json')), false);
    });

    it('takes the container with it when it is killed', async () => {
      const shim = await rig.started({ args: ['sh', '-c', 'sleep 1000 & sleep 1000'] });
      await shim.murder();
    });

    it('ignores SIGTERM and SIGHUP', async () => {
      const shim = await rig.started({ args: ['sleep', '1000'] });
      process.kill(shim.shimPid, 'SIGTERM');
      process.kill(shim.shimPid, 'SIGHUP');
      assert.equal((await shim.ask({ op: 'state' }))['status'], 'running');
    });

    it('gives the container no blocked or ignored signals and no further descriptors', async () => {
      const script = 'grep -E "Sig(Blk|Ign)" /proc/self/status; ls /proc/self/fd';
      const shim = rig.create({ args: ['sh', '-c', script], log: {} });
      await shim.start();
      await shim.exit();
      const text = shim.log().map((line) => line.log.trim());
      assert.deepEqual(text, [
        'SigBlk:\t0000000000000000',
        'SigIgn:\t0000000000000000',
        '0',
        '1',
        '2',
        '3',
      ]);
    });

    it('refuses operations that do not fit the state', async () => {
      const shim = rig.create({ args: ['sleep', '1000'] });
      const kind = async (operation: Record<string, unknown>): Promise<unknown> => {
        const answer = await shim.ask(operation);
        return (answer['error'] as Record<string, unknown> | undefined)?.['kind'];
      };
      assert.equal(await kind({ op: 'pause' }), 'conflict');
      const early = shim.exec('early', ['true']);
      assert.equal(((await early.line())['error'] as Record<string, unknown>)['kind'], 'conflict');
      early.socket.destroy();
      await shim.start();
      assert.equal(await kind({ op: 'start' }), 'conflict');
      assert.equal(await kind({ op: 'stop-created' }), 'conflict');
      assert.equal(await kind({ op: 'resume' }), 'conflict');
      assert.equal(await kind({ op: 'kill', signal: 99 }), 'invalid');
      assert.equal(await kind({ op: 'wait', exec: 'nobody' }), 'not-found');
    });

    it('fails whole when the container cannot be made', () => {
      const dir = rig.directory();
      const request = rig.request(dir, { args: ['true'], log: {} });
      (request['config'] as Record<string, unknown>)['root'] = { path: '/nowhere/at/all' };
      const result = rig.run(JSON.stringify(request));
      assert.equal(result.status, 1);
      assert.equal(result.stdout, '');
      const lines = result.stderr.trim().split('\n');
      assert.equal(lines.length, 1, result.stderr);
      const failure = JSON.parse(lines[0] ?? '') as { error: Record<string, unknown> };
      assert.equal(failure.error['errno'], 'ENOENT');
      for (const name of ['shim.sock', 'shim.json', 'log', 'exit.json']) {
        assert.equal(existsSync(join(dir, name)), false, name);
      }
    });

    it('refuses a request that is no JSON, with one error line', () => {
      for (const text of ['', '{', '[]', '{"id":"x"}', '\0'.repeat(1000)]) {
        const result = rig.run(text);
        assert.equal(result.status, 1);
        const failure = JSON.parse(result.stderr) as { error: Record<string, unknown> };
        assert.equal(failure.error['kind'], 'invalid');
      }
    });

    it('keeps the earlier exit file until the next container is made', () => {
      const dir = rig.directory();
      writeFileSync(join(dir, 'exit.json'), '{"exitCode":3}\n');
      const request = rig.request(dir, { args: ['true'] });
      const bad = { ...request, config: { ociVersion: '1.2.0' } };
      assert.equal(rig.run(JSON.stringify(bad)).status, 1);
      assert.equal(readFileSync(join(dir, 'exit.json'), 'utf8'), '{"exitCode":3}\n');
    });
  });
}

describe('the shim with cgroups', () => {
  let rig: Rig;
  before(() => {
    rig = new Rig('system');
  });
  after(async () => {
    await rig.dispose();
  });

  it('pauses, resumes and refuses an exec while paused', async () => {
    const shim = rig.create({ args: ['sh', '-c', 'while :; do echo tick; sleep 0.02; done'] });
    const client = await shim.attach();
    await shim.start();
    await until(() => client.received.length > 0, 'the first tick');
    assert.deepEqual(await shim.ask({ op: 'pause' }), { ok: true });
    assert.equal((await shim.ask({ op: 'state' }))['status'], 'paused');
    // What was written before may still be on its way here.
    let before = -1;
    while (client.received.length !== before) {
      before = client.received.length;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    await new Promise((resolve) => setTimeout(resolve, 150));
    assert.equal(client.received.length, before);
    const exec = shim.exec('e', ['true']);
    assert.equal(((await exec.line())['error'] as Record<string, unknown>)['kind'], 'conflict');
    exec.socket.destroy();
    assert.deepEqual(await shim.ask({ op: 'resume' }), { ok: true });
    await until(() => client.received.length > before, 'a tick after resuming');
    await shim.ask({ op: 'pause' });
    await shim.ask({ op: 'kill', signal: 9 });
    assert.equal((await shim.exit())['exitCode'], 137);
    client.socket.destroy();
  });

  it('gives statistics and takes new limits', async () => {
    const shim = await rig.started({ args: ['sleep', '1000'] });
    const update = { memory: { limit: 64 << 20 }, pids: { limit: 50 } };
    assert.deepEqual(await shim.ask({ op: 'update', resources: update }), { ok: true });
    const stats = await shim.ask({ op: 'stats' });
    const memory = stats['memory'] as Record<string, unknown>;
    const pids = stats['pids'] as Record<string, unknown>;
    assert.equal(memory['limit'], 64 << 20);
    assert.equal(pids['limit'], 50);
    assert.equal(pids['current'], 1);
    assert.ok(Number((stats['cpu'] as Record<string, unknown>)['usageNs']) > 0);
  });

  it('says when the container was killed for want of memory', async () => {
    const shim = await rig.started({
      args: ['sh', '-c', 'dd if=/dev/zero of=/dev/null bs=200M count=1'],
      edit: (config) => {
        const linux = config['linux'] as Record<string, unknown>;
        linux['resources'] = { memory: { limit: 20 << 20, swap: 20 << 20 } };
        (config['process'] as Record<string, unknown>)['args'] = [
          'dd',
          'if=/dev/zero',
          'of=/dev/null',
          'bs=200M',
          'count=1',
        ];
      },
    });
    const record = await shim.exit();
    assert.equal(record['oomKilled'], true);
    assert.equal(record['exitCode'], 137);
  });
});
