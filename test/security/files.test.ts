/** Reading and changing single files while a hostile container exchanges what lies at their paths (as CVE-2018-15664 did with docker cp): nothing outside is read, written or deleted. */

import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { archiveOf } from '../../scripts/lib/images.ts';
import { Transport } from '../../src/client/api/transport.ts';
import type { FileList } from '../../src/lib/api/files.ts';
import { startTestEngine, type EngineMode, type TestEngine } from '../support/engine.ts';

for (const mode of ['system', 'rootless'] as const)
  describe(`single files of a hostile container in mode ${mode}`, () => suite(mode));

/** Long enough that each kind of call meets both sides of the exchange many times. */
const ROUNDS = 60;

function suite(mode: EngineMode): void {
  let engine: TestEngine;
  let transport: Transport;
  let outside: string;
  const met = { folder: 0, other: 0 };
  const call = async (task: Promise<unknown>): Promise<void> => {
    // Whether it worked or found something else at its path: only what it did outside counts.
    await task.then(
      () => (met.folder += 1),
      () => (met.other += 1),
    );
  };
  const at = (path: string, more: Record<string, string> = {}) => ({
    query: { container: 'evil', path, ...more },
  });
  const unharmed = (): void => {
    assert.deepEqual(readdirSync(outside), ['canary']);
    assert.equal(readFileSync(join(outside, 'canary'), 'utf8'), 'alive');
  };

  before(async () => {
    outside = mkdtempSync('/tmp/pinnace-outside-');
    chmodSync(outside, 0o777);
    writeFileSync(join(outside, 'canary'), 'alive');
    chmodSync(join(outside, 'canary'), 0o666);
    engine = await startTestEngine(mode);
    await engine.docker('load', '-i', archiveOf('busybox:latest'));
    transport = new Transport({ socketPath: engine.address.slice('unix://'.length) });
    // /swap/dir is by turns a folder and a link that leads out, if anything lets it; so is the file beside it.
    const swap = [
      'mkdir -p /swap/real; echo inside > /swap/real/canary; echo inside > /swap/file',
      `while true; do ln -s ${outside} /swap/l; mv -T /swap/l /swap/dir 2>/dev/null || { rm -rf /swap/dir; mv -T /swap/l /swap/dir; }`,
      `ln -sf ../../../../..${outside}/canary /swap/m; mv -T /swap/m /swap/file`,
      'rm -f /swap/dir; cp -r /swap/real /swap/dir; echo inside > /swap/n; mv -T /swap/n /swap/file; done',
    ];
    await engine.docker(
      'run',
      '-d',
      '--name',
      'evil',
      'busybox',
      'sh',
      '-c',
      swap.join('; ').replace('do;', 'do'),
    );
  });
  after(async () => {
    transport.close();
    const left = await engine.close();
    rmSync(outside, { recursive: true, force: true });
    assert.deepEqual(left, [], 'nothing is left behind');
  });

  test('reading meets the container only', async () => {
    const seen = new Set<string>();
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const path of ['/swap/dir/canary', '/swap/file']) {
        const read = transport.open('pinnace.file-read', at(path));
        await call(
          read.then(async (body) => seen.add(Buffer.concat(await body.toArray()).toString())),
        );
      }
      await call(
        transport
          .json<FileList>('pinnace.files-list', at('/swap/dir'))
          .then(({ entries }) => entries.forEach(({ size }) => seen.add(`size ${String(size)}`))),
      );
    }
    assert.ok(met.folder > 0 && met.other > 0, `both sides were met: ${JSON.stringify(met)}`);
    assert.ok(!seen.has('alive') && !seen.has('size 5'), [...seen].join());
  });

  test('writing, making, renaming and deleting change the container only', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const body = (): Readable => Readable.from([Buffer.from('written')]);
      await call(transport.send('pinnace.file-write', { ...at('/swap/dir/canary'), body: body() }));
      await call(transport.send('pinnace.file-write', { ...at('/swap/file'), body: body() }));
      await call(transport.send('pinnace.file-mkdir', at('/swap/dir/made')));
      await call(
        transport.send(
          'pinnace.file-rename',
          at('/swap/dir/canary', { to: '/swap/dir/x', overwrite: '1' }),
        ),
      );
      await call(transport.send('pinnace.file-delete', at('/swap/dir/canary')));
      await call(transport.send('pinnace.file-delete', at('/swap/dir', { recursive: '1' })));
      unharmed();
    }
  });

  test("the engine's own shell cannot be rewritten by the container that runs it", async () => {
    const environment = readFileSync(`/proc/${String(await engine.pid())}/environ`, 'utf8');
    const helper = /(?:^|\0)PINNACE_NATIVE=([^\0]+)/.exec(environment)?.[1] ?? '';
    const file = join(dirname(helper), 'busybox');
    const shell = readFileSync(file);
    // As CVE-2019-5736 did: the file stays open while something else runs, so that it is no longer busy.
    const attack =
      'echo x > /proc/self/exe || echo first; exec 9</proc/self/exe; exec /bin/sh -c "sleep 0.2; echo x > /proc/self/fd/9 || echo second"';
    const { Id } = await transport.json<{ Id: string }>('exec.create', {
      params: { id: 'evil' },
      json: {
        PinnaceTool: 'shell',
        Cmd: ['-c', attack],
        User: '0',
        AttachStdout: true,
        AttachStderr: true,
      },
    });
    const { socket } = await transport.hijack('exec.start', {
      params: { id: Id },
      json: { Detach: false, Tty: false },
    });
    const said = Buffer.concat(await socket.toArray()).toString();
    assert.match(said, /first/);
    assert.match(said, /second/);
    assert.ok(readFileSync(file).equals(shell));
  });

  test('a tool that is none, and a program in the request, are refused', async () => {
    const make = (json: object): Promise<unknown> =>
      transport.json('exec.create', { params: { id: 'evil' }, json });
    await assert.rejects(make({ PinnaceTool: '/etc/passwd', Cmd: [] }), /PinnaceTool/);
    await assert.rejects(make({ PinnaceTool: 7 }), /PinnaceTool must be a string/);
    await assert.rejects(make({ Cmd: [] }), /no exec command/);
  });
}
