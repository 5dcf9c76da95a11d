// The shim's streams with a real container: attach, standard input, terminals, execs and the log, also with
// clients that are slow or vanish. As root, rootless and with a single id.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Rig, frames, runs, textOf, until, type Mode } from './shim-rig.ts';

const modes: readonly Mode[] = ['system', 'rootless', 'single-id'];

for (const mode of modes) {
  describe(`streams of the shim in ${mode} mode`, () => {
    let rig: Rig;
    before(() => {
      rig = new Rig(mode);
    });
    after(async () => {
      await rig.dispose();
    });

    it('sends both streams as stdcopy frames to every client', async () => {
      const shim = rig.create({ args: ['sh', '-c', 'echo out; echo err >&2'] });
      const both = await shim.attach();
      const errors = await shim.attach({ stdout: false });
      await shim.start();
      const bytes = await both.rest();
      assert.equal(textOf(bytes, 1), 'out\n');
      assert.equal(textOf(bytes, 2), 'err\n');
      assert.deepEqual(frames(await errors.rest()), [{ stream: 2, text: 'err\n' }]);
    });

    it('feeds standard input and closes it with the first client when asked to', async () => {
      const shim = rig.create({ args: ['wc', '-c'], openStdin: true, stdinOnce: true });
      const client = await shim.attach({ stdin: true });
      await shim.start();
      const data = Buffer.alloc(3_000_000, 'x');
      client.socket.end(data);
      assert.equal(textOf(await client.rest(), 1).trim(), '3000000');
      assert.equal((await shim.exit())['exitCode'], 0);
    });

    it('keeps standard input open over clients without stdinOnce', async () => {
      const shim = rig.create({
        args: ['sh', '-c', 'read a; read b; echo $a-$b'],
        openStdin: true,
      });
      const watcher = await shim.attach();
      await shim.start();
      for (const word of ['one\n', 'two\n']) {
        const client = await shim.attach({ stdin: true });
        client.socket.end(word);
        await sleep(30);
        client.socket.destroy();
      }
      assert.equal(textOf(await watcher.rest(), 1), 'one-two\n');
    });

    it('gives a closed standard input when it was not opened', async () => {
      const shim = await rig.started({ args: ['sh', '-c', 'cat; echo done'], log: {} });
      await shim.exit();
      assert.deepEqual(
        shim.log().map((line) => line.log),
        ['done\n'],
      );
    });

    it('gives a terminal of the asked size, raw, and resizes it', async () => {
      const script = 'trap "stty size; exit" WINCH; stty size; tty; while :; do sleep 0.02; done';
      const shim = rig.create({
        args: ['sh', '-c', script],
        tty: true,
        openStdin: true,
        size: { height: 30, width: 100 },
      });
      const client = await shim.attach({ stdin: true });
      await shim.start();
      await until(() => client.received.includes('/dev/'), 'the size');
      assert.match(client.received.toString(), /^30 100\r\n\/dev\/(pts\/0|console)\r\n/u);
      assert.deepEqual(await shim.ask({ op: 'resize', exec: null, height: 50, width: 132 }), {
        ok: true,
      });
      const text = (await client.rest()).toString();
      assert.ok(text.endsWith('50 132\r\n'), text);
    });

    it('passes typing through the terminal', async () => {
      const shim = rig.create({ args: ['sh'], tty: true, openStdin: true });
      const client = await shim.attach({ stdin: true });
      await shim.start();
      client.socket.write('echo $((20+22))\nexit 5\n');
      assert.match((await client.rest()).toString(), /\r\n42\r\n/u);
      assert.equal((await shim.exit())['exitCode'], 5);
    });

    it('runs execs with their own streams and codes', async () => {
      const shim = await rig.started({ args: ['sleep', '1000'] });
      const first = shim.exec('first', ['sh', '-c', 'echo hi; echo no >&2; exit 3']);
      const answer = await first.line();
      assert.equal(answer['ok'], true);
      assert.ok(Number(answer['pid']) > 1);
      const bytes = await first.rest();
      assert.equal(textOf(bytes, 1), 'hi\n');
      assert.equal(textOf(bytes, 2), 'no\n');
      const ended = await shim.ask({ op: 'wait', exec: 'first' });
      assert.equal(ended['exitCode'], 3);
      const reader = shim.exec('reader', ['cat'], { stdin: true });
      await reader.line();
      reader.socket.end('through');
      assert.equal(textOf(await reader.rest(), 1), 'through');
      const again = shim.exec('reader', ['true']);
      assert.equal(((await again.line())['error'] as Record<string, unknown>)['kind'], 'conflict');
      again.socket.destroy();
    });

    it('runs many execs at once', async () => {
      const shim = await rig.started({ args: ['sleep', '1000'] });
      const numbers = Array.from({ length: 30 }, (_, index) => index);
      const outputs = await Promise.all(
        numbers.map(async (number) => {
          const connection = shim.exec(`e${String(number)}`, [
            'sh',
            '-c',
            `echo ${String(number)}; exit ${String(number)}`,
          ]);
          await connection.line();
          return textOf(await connection.rest(), 1);
        }),
      );
      assert.deepEqual(
        outputs,
        numbers.map((number) => `${String(number)}\n`),
      );
      const state = await shim.ask({ op: 'state' });
      const execs = state['execs'] as { id: string; exitCode: number }[];
      assert.deepEqual(
        execs.map((exec) => exec.exitCode).sort((a, b) => a - b),
        numbers,
      );
    });

    it('runs an exec on a terminal, as another user, and a detached one', async () => {
      const shim = await rig.started({ args: ['sleep', '1000'] });
      const terminal = shim.exec('t', ['sh', '-c', 'stty size; test -t 0 && echo tty'], {
        tty: true,
        size: { height: 11, width: 22 },
      });
      await terminal.line();
      assert.equal((await terminal.rest()).toString(), '11 22\r\ntty\r\n');
      const process = {
        args: ['id', '-u'],
        cwd: '/',
        env: ['PATH=/bin'],
        user: { username: 'anna' },
      };
      const other = shim.exec('u', [], { process });
      await other.line();
      assert.equal(textOf(await other.rest(), 1).trim(), mode === 'single-id' ? '0' : '1000');
      const detached = shim.exec('d', ['sh', '-c', 'echo lost; sleep 0.05; exit 9'], {
        detach: true,
      });
      assert.equal((await detached.line())['ok'], true);
      detached.socket.destroy();
      assert.equal((await shim.ask({ op: 'wait', exec: 'd' }))['exitCode'], 9);
    });

    it('says which program an exec could not run', async () => {
      const shim = await rig.started({ args: ['sleep', '1000'] });
      const connection = shim.exec('x', ['/bin/not-here']);
      const error = (await connection.line())['error'] as Record<string, unknown>;
      assert.equal(error['errno'], 'ENOENT');
      connection.socket.destroy();
      assert.equal((await shim.ask({ op: 'state' }))['status'], 'running');
    });

    it('ends execs with the container', async () => {
      const shim = await rig.started({ args: ['sleep', '1000'] });
      const connection = shim.exec('e', ['sleep', '1000']);
      await connection.line();
      const waiter = shim.open({ op: 'wait', exec: 'e' });
      // One thread serves the connections in turn: an answer to a later one means that the wait is known.
      await shim.ask({ op: 'state' });
      await shim.ask({ op: 'kill', signal: 9 });
      assert.equal((await waiter.line())['exitCode'], 137);
      await connection.rest();
      waiter.socket.destroy();
    });

    it('closes the stream of an exec although a background child keeps the pipe', async () => {
      const shim = await rig.started({ args: ['sleep', '1000'] });
      const connection = shim.exec('bg', ['sh', '-c', 'sleep 500 & echo main']);
      await connection.line();
      assert.equal(textOf(await connection.rest(30_000), 1), 'main\n');
    });

    it('holds the container back for a slow reader, and loses nothing', async () => {
      const total = 6 << 20;
      const shim = rig.create({ args: ['sh', '-c', `yes | head -c ${String(total)}`], log: {} });
      const slow = await shim.attach();
      slow.socket.pause();
      await shim.start();
      await sleep(300);
      assert.equal(existsSync(shim.exitFile), false, 'the container was not held back');
      slow.socket.resume();
      assert.equal(textOf(await slow.rest(120_000), 1).length, total);
      await shim.exit();
      assert.equal(
        shim.log().reduce((sum, line) => sum + line.log.length, 0),
        total,
      );
    });

    it('goes on when a client vanishes in the middle', async () => {
      const shim = rig.create({ args: ['sh', '-c', 'yes | head -c 4000000'], log: {} });
      const gone = await shim.attach();
      gone.socket.pause();
      const paused = await shim.attach();
      paused.socket.pause();
      await shim.start();
      await sleep(50);
      gone.socket.destroy();
      paused.socket.destroy();
      assert.equal((await shim.exit())['exitCode'], 0);
      assert.equal(shim.log().length, 2_000_000);
    });

    it('writes a complete log before the exit file', async () => {
      const script =
        'i=0; while [ $i -lt 200 ]; do echo "line $i"; i=$((i+1)); done; printf "<no end>\\377"; echo e >&2';
      const shim = await rig.started({ args: ['sh', '-c', script], log: {} });
      await shim.exit();
      const lines = shim.log();
      const out = lines.filter((line) => line.stream === 'stdout').map((line) => line.log);
      assert.equal(out.length, 201);
      assert.equal(out[199], 'line 199\n');
      assert.equal(out[200], '<no end>\ufffd');
      assert.deepEqual(
        lines.filter((line) => line.stream === 'stderr').map((line) => line.log),
        ['e\n'],
      );
      for (const line of lines)
        assert.match(line.time, /^\d{4}-\d\d-\d\dT[\d:]{8}(\.\d{0,8}[1-9])?Z$/u);
    });

    it('rotates the log', async () => {
      const shim = await rig.started({
        args: ['sh', '-c', 'seq 1 2000'],
        log: { maxSize: 20_000, maxFiles: 3 },
      });
      await shim.exit();
      const lines = ['.2', '.1', ''].flatMap((suffix) => shim.log(suffix)).map((line) => line.log);
      assert.equal(lines.at(-1), '2000\n');
      assert.equal(existsSync(`${shim.logFile}.3`), false);
      const first = 2001 - lines.length;
      assert.deepEqual(
        lines,
        lines.map((_, index) => `${String(first + index)}\n`),
      );
    });

    it('lets readers take the end of the output after the container is gone', async () => {
      const shim = rig.create({ args: ['sh', '-c', 'yes | head -c 900000'] });
      const client = await shim.attach();
      client.socket.pause();
      await shim.start();
      const { shimPid } = shim;
      await shim.exit();
      await sleep(100);
      client.socket.resume();
      assert.equal(textOf(await client.rest(), 1).length, 900_000);
      await until(() => !runs(shimPid), 'the end of the shim');
    });
  });
}
