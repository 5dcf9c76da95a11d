/** Row 28 of the table of known escapes: archives and documents that are small to send and enormous to read. Memory stays bounded, the error says what it is about, nothing is left behind. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { archiveOf } from '../../scripts/lib/images.ts';
import { gzipOf, manyFiles, repeated, sparseEntry, zeros } from '../support/bombs.ts';
import { smallDisk } from '../support/disk.ts';
import { startTestEngine, type EngineMode, type TestEngine } from '../support/engine.ts';
import { imageArchive, type ImageParts } from '../support/image-archive.ts';
import { post } from '../support/post.ts';
import { tar, tarEntry, type TarEntry } from '../support/tar.ts';
import { assertTraces, childrenOf, settledTraces, type Traces } from '../support/traces.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const TIB = 2 ** 40;
const MILLION = 1_000_000;
const DISK = { bytes: 256 * MIB, files: 60_000 };
/** What the engine and each of its helpers may hold in memory at the worst moment, in kB. */
const ENGINE_KB = 400_000;
const HELPER_KB = 300_000;

for (const mode of ['system', 'rootless'] as const) {
  describe(`bombs in mode ${mode}`, () => suite(mode));
}

/** The most that a process had in memory, in kB. */
function peakOf(pid: number): number {
  try {
    const text = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(text)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** Deeper than any parser's stack. */
const DEEP = '['.repeat(MILLION);

function suite(mode: EngineMode): void {
  let engine: TestEngine;
  let base: Traces;
  let pid: number;
  let helper = 0;
  let watch: NodeJS.Timeout;
  const docker = (...args: string[]): Promise<string> => engine.docker(...args);
  /** The bomb has gone off as `words` say, and everything is as before. */
  const harmless = async (
    what: string,
    words: RegExp,
    bomb: { args: string[]; input: Buffer },
  ): Promise<void> => {
    const { status, stdout, stderr } = await engine.tryDocker(bomb.args, {
      input: bomb.input,
      timeout: 60_000,
    });
    assert.ok(status !== 0 && status !== 124, `${what}: status ${String(status)} ${stdout}`);
    assert.match(stderr.replace(/^DEPRECATED:[^]*?variable\.\n/, ''), words, what);
    assert.ok(stderr.length < 20_000, `${what}: the error itself is ${String(stderr.length)} long`);
    assert.equal(await engine.pid(), pid, `${what}: the engine goes on`);
    await docker('builder', 'prune', '-af');
    await assertTraces(engine, base);
  };
  const load = (what: string, words: RegExp, parts: Omit<ImageParts, 'name'>): Promise<void> =>
    harmless(what, words, { args: ['load'], input: imageArchive({ name: 'bomb:1', ...parts }) });
  const build = (what: string, words: RegExp, input: Buffer): Promise<void> =>
    harmless(what, words, { args: ['build', '-'], input });
  const wrong = [`sha256:${'0'.repeat(64)}`];

  before(async () => {
    engine = await startTestEngine(mode, {}, smallDisk(DISK));
    await docker('load', '-i', archiveOf('busybox:latest'));
    base = await settledTraces(engine);
    pid = await engine.pid();
    watch = setInterval(() => {
      for (const child of childrenOf(pid)) helper = Math.max(helper, peakOf(child));
    }, 10);
  });
  after(async () => {
    clearInterval(watch);
    assert.deepEqual(await engine.close(), [], 'nothing is left behind');
  });

  test('a million tiny files end at the number that the disk has, whoever brings them', async () => {
    const bomb = await gzipOf(manyFiles(MILLION));
    await load('load', /space/i, { layers: [bomb], diffIds: wrong });
    await harmless('import', /space/i, { args: ['import', '-', 'bomb:1'], input: bomb });
    await build('build', /space/i, bomb);
  });

  test('a hundred thousand entries for one name cost one file', async () => {
    const entries = {
      file: tarEntry({ name: 'file', content: 'x' }),
      folder: tarEntry({ name: 'folder/', type: '5' }),
      link: tarEntry({ name: 'link', type: '2', link: 'to' }),
    };
    for (const [what, entry] of Object.entries(entries)) {
      const bomb = await gzipOf(repeated(entry, MILLION / 10));
      await load(what, /sha256:0{64}/, { layers: [bomb], diffIds: wrong });
    }
    const long = tarEntry({
      name: 'x',
      type: '5',
      pax: { path: `${`${'n'.repeat(250)}/`.repeat(15)}x` },
    });
    // The gigabytes of the tar are no problem of the disk here: only docker cp sets no limit by its free space.
    const bomb = await gzipOf(repeated(long, MILLION / 10));
    await docker('create', '--name', 'target', 'busybox');
    const copied = await engine.tryDocker(['cp', '-', 'target:/tmp'], { input: bomb });
    assert.equal(copied.status, 0, copied.stderr);
    await docker('rm', 'target');
    await assertTraces(engine, base);
  });

  test('a terabyte without content is refused by its size', async () => {
    const entry = sparseEntry('huge', TIB);
    const bomb = Buffer.concat([entry, Buffer.alloc(1024)]);
    await load('load', /huge.*1099511627776|1099511627776.*limit/, { layers: [bomb] });
    await harmless('import', /1099511627776/, { args: ['import', '-', 'bomb:1'], input: bomb });
    const file = tar([{ name: 'Dockerfile', content: 'FROM busybox\nCOPY . /\n' }], { end: false });
    await build('build', /1099511627776/, Buffer.concat([file, bomb]));
    const step = tar([
      {
        name: 'Dockerfile',
        content: 'FROM busybox\nRUN dd if=/dev/zero of=/huge bs=1 count=1 seek=1099511627775\n',
      },
    ]);
    await build('a step', /not larger than \d+ bytes.*\/huge/, step);
  });

  test('what grows a thousandfold ends at the size of the disk', async () => {
    const bomb = await gzipOf(zeros('zeros', GIB));
    assert.ok(bomb.length * 200 < GIB);
    await load('load', /space|limit/i, { layers: [bomb], diffIds: wrong });
    await harmless('import', /space|limit/i, { args: ['import', '-', 'bomb:1'], input: bomb });
    const file = tar([{ name: 'Dockerfile', content: 'FROM busybox\n' }], { end: false });
    await build('build', /space|limit/i, await gzipOf(zeros('zeros', GIB, file)));
    await docker('create', '--name', 'target', 'busybox');
    const copied = await engine.tryDocker(['cp', '-', 'target:/'], { input: bomb });
    assert.notEqual(copied.status, 0);
    assert.match(copied.stderr, /space|limit/i);
    await docker('rm', 'target');
    await harmless('a whole archive', /space|limit|neither/i, {
      args: ['load'],
      input: await gzipOf(zeros('some.bin', GIB)),
    });
  });

  test('a thousand layers are refused by their number, and five hundred work', async () => {
    const layer = tar([{ name: 'file', content: 'x' }]);
    const many = (count: number): Buffer[] => Array<Buffer>(count).fill(layer);
    await load('a thousand', /more than 500 layers|at most 500/, { layers: many(1000) });
    const input = imageArchive({ name: 'bomb:1', layers: many(490) });
    const loaded = await engine.tryDocker(['load'], { input, timeout: 100_000 });
    assert.equal(loaded.status, 0, loaded.stderr);
    const created = await docker('create', '--name', 'target', 'bomb:1', 'sh');
    assert.match(created, /^[0-9a-f]{64}$/);
    const read = await engine.tryDocker(['cp', 'target:/file', '-']);
    assert.equal(read.status, 0, read.stderr);
    await docker('rm', 'target');
    await docker('rmi', 'bomb:1');
    await assertTraces(engine, base);
  });

  test('documents of a hundred megabytes or a million levels are refused by name', async () => {
    const layers = [tar([{ name: 'file' }])];
    const long = `"${'x'.repeat(100 * MIB)}"`;
    await load('manifest', /manifest\.json.*(larger|large)/, { layers, manifest: long });
    await load('configuration', /config\.json.*(larger|large)/, { layers, config: long });
    await load('manifest', /manifest\.json.*nested/, { layers, manifest: DEEP });
    await load('configuration', /configuration.*nested/, { layers, config: DEEP });
    for (const body of [Buffer.from(long), Buffer.from(DEEP)]) {
      const { status, text } = await post(engine.address, {
        path: '/containers/create',
        body,
        type: 'application/json',
      });
      assert.equal(status, 400, text);
      assert.match(text, /larger|nested|levels/);
    }
    await assertTraces(engine, base);
  });

  test('a Dockerfile that multiplies itself ends in an error', async () => {
    const words = '$A'.repeat(10);
    const laughs = `FROM busybox\nENV A=${'x'.repeat(1000)}\n${`ENV A=${words}\n`.repeat(12)}`;
    const many = `FROM busybox\n${'RUN a\n'.repeat(100_000)}`;
    const ignore = `${'**/'.repeat(2000)}x\n`.repeat(100);
    const stages = Array.from({ length: 900 }, (_, at) => {
      const from = at === 0 ? '' : `COPY --from=s${String(at - 1)} / /\n`;
      return `FROM busybox AS s${String(at)}\n${from}`;
    }).join('');
    const files: readonly (readonly [string, RegExp, TarEntry[]])[] = [
      ['laughs', /4 MiB/, [{ name: 'Dockerfile', content: laughs }]],
      ['instructions', /more than 3000 instructions/, [{ name: 'Dockerfile', content: many }]],
      ['stages', /more than 500 stages/, [{ name: 'Dockerfile', content: stages }]],
      ['no end', /1 MB/, [{ name: 'Dockerfile', content: Buffer.alloc(100 * MIB, 'FROM x\n') }]],
      [
        'ignore',
        /\S/,
        [
          { name: 'Dockerfile', content: 'FROM busybox\nCOPY . /\nRUN exit 1\n' },
          { name: '.dockerignore', content: ignore },
          { name: `${'a/'.repeat(40)}b`, content: 'x' },
        ],
      ],
    ];
    for (const [what, message, entries] of files) {
      await build(what, message, tar(entries));
    }
  });

  test('memory was bounded all the time', () => {
    assert.ok(peakOf(pid) < ENGINE_KB, `the engine's peak is ${String(peakOf(pid))} kB`);
    assert.ok(helper > 0, 'some helper was seen');
    assert.ok(helper < HELPER_KB, `a helper's peak is ${String(helper)} kB`);
  });
}
