// `archive stat|get|put`: docker cp and export, also against a running tree that swaps links under our feet.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { after, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { end, sendSignal } from '../support/children.ts';
import { tar } from '../support/tar.ts';
import { Bench, answerOf, below, failureOf, type Failed, type Outcome } from './layer-rig.ts';

const bench = new Bench();
after(() => {
  bench.close();
});

const archive = (
  verb: string,
  request: Readonly<Record<string, unknown>>,
  input?: Buffer,
): Outcome =>
  verb === 'put'
    ? bench.run(['archive', verb, '--request', JSON.stringify(request)], input)
    : bench.run(['archive', verb], JSON.stringify(request));
const refused = (
  verb: string,
  request: Readonly<Record<string, unknown>>,
  input?: Buffer,
): Failed => failureOf(archive(verb, request, input));
/** The names in the tar that `get` writes. */
const names = (request: Readonly<Record<string, unknown>>): string[] => {
  const got = archive('get', request);
  assert.equal(got.status, 0, got.stderr);
  assert.ok(got.answer.startsWith('{'), 'the answer comes on descriptor 3');
  return execFileSync('tar', ['t'], { input: got.stdout }).toString().trimEnd().split('\n');
};

function tree(name: string): string {
  const dir = bench.make(name);
  mkdirSync(`${dir}/etc/deep`, { recursive: true });
  writeFileSync(`${dir}/etc/conf`, 'conf');
  writeFileSync(`${dir}/etc/deep/f`, 'f');
  symlinkSync('/etc/deep', `${dir}/link`);
  symlinkSync('../../../../../../../../../../../../etc', `${dir}/out`);
  symlinkSync('nowhere/at/all', `${dir}/dangling`);
  return dir;
}

describe('archive stat', () => {
  const dir = tree('stat');
  const stat = (path: string): Record<string, unknown> =>
    answerOf(archive('stat', { root: { dir }, path }));

  it('gives Go modes, names, times and link targets', () => {
    chmodSync(`${dir}/etc/conf`, 0o4640);
    utimesSync(`${dir}/etc/conf`, 0, 1_700_000_000.25);
    assert.deepEqual(stat('/etc/conf'), {
      name: 'conf',
      size: 4,
      mode: 2 ** 23 + 0o640,
      mtime: '2023-11-14T22:13:20.25Z',
      linkTarget: '',
    });
    chmodSync(`${dir}/etc`, 0o1777);
    assert.equal(stat('etc')['mode'], 2 ** 31 + 2 ** 20 + 0o777);
    assert.equal(stat('/')['name'], '/');
    assert.equal(stat('/etc/.')['name'], '.');
    execFileSync('sh', ['-c', `mkfifo -m 600 ${dir}/pipe && mknod -m 666 ${dir}/null c 1 3`]);
    assert.equal(stat('/pipe')['mode'], 2 ** 25 + 0o600);
    assert.equal(stat('/null')['mode'], 2 ** 26 + 2 ** 21 + 0o666);
  });

  it('does not follow the last link, unless a slash or dot follows', () => {
    assert.deepEqual(
      [stat('/link')['mode'], stat('/link')['linkTarget']],
      [2 ** 27 + 0o777, '/etc/deep'],
    );
    assert.equal(stat('/out')['linkTarget'], '/etc');
    assert.equal(stat('/dangling')['linkTarget'], '/nowhere/at/all');
    assert.equal(Number(stat('/link/')['mode']) >= 2 ** 31, true);
    assert.equal(stat('/link/f')['size'], 1);
  });

  it('says what is not there', () => {
    assert.deepEqual(
      [
        refused('stat', { root: { dir }, path: '/no' }).kind,
        refused('stat', { root: { dir }, path: '/no' }).path,
      ],
      ['not-found', '/no'],
    );
    assert.equal(refused('stat', { root: { pid: 2 ** 22 - 1 }, path: '/' }).kind, 'not-found');
  });
});

describe('archive get', () => {
  const dir = tree('get');
  const root = { dir };

  it('packs a path under its base name', () => {
    assert.deepEqual(names({ root, path: '/etc/conf' }), ['conf']);
    assert.deepEqual(names({ root, path: '/etc' }), [
      'etc/',
      'etc/conf',
      'etc/deep/',
      'etc/deep/f',
    ]);
    assert.deepEqual(names({ root, path: '/etc/.' }), ['./', './conf', './deep/', './deep/f']);
    assert.deepEqual(names({ root, path: '/link' }), ['link']);
    assert.deepEqual(names({ root, path: '/link/' }), ['link/', 'link/f']);
    assert.deepEqual(names({ root, path: '/link/f' }), ['f']);
    assert.deepEqual(names({ root, path: '/out/conf' }), ['conf']);
  });

  it('exports the whole tree, without what is mounted in it', () => {
    assert.deepEqual(names({ root, path: '/', export: true }), [
      'dangling',
      'etc/',
      'etc/conf',
      'etc/deep/',
      'etc/deep/f',
      'link',
      'out',
    ]);
    const lower = bench.make('lower');
    writeFileSync(`${lower}/hidden`, '');
    execFileSync('mknod', [`${dir}/hidden`, 'c', '0', '0']);
    assert.ok(
      !names({ root: { lowers: [dir, lower] }, path: '/', export: true }).includes('hidden'),
    );
    execFileSync('rm', [`${dir}/hidden`]);
  });

  it('reads the root of a running process', async () => {
    const script = `mount --bind ${dir} ${dir}/etc/deep && echo ready && exec sleep 60`;
    const child = spawn('unshare', ['-m', 'sh', '-c', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    const there = { pid: child.pid };
    assert.deepEqual(names({ root: there, path: `${dir}/etc/deep/etc/conf` }), ['conf']);
    await end(child);
    assert.equal(refused('stat', { root: there, path: '/' }).kind, 'not-found');
  });
});

describe('archive put', () => {
  it('extracts below a directory, through links of the root', () => {
    const dir = tree('put');
    const root = { dir };
    const data = gzipSync(
      tar([
        { name: 'new/file', content: 'n', uid: 12, gid: 34 },
        { name: '.wh.kept', content: '' },
      ]),
    );
    const answer = answerOf(archive('put', { root, path: '/link' }, data));
    assert.equal(answer['entries'], 2);
    assert.deepEqual(below(`${dir}/etc/deep`), ['.wh.kept', 'f', 'new', 'new/file']);
    assert.deepEqual(
      [statSync(`${dir}/etc/deep/new/file`).uid, statSync(`${dir}/etc/deep/new/file`).gid],
      [12, 34],
    );
    answerOf(archive('put', { root, path: '/', owner: '5:6' }, data));
    assert.deepEqual([statSync(`${dir}/new/file`).uid, statSync(`${dir}/new/file`).gid], [5, 6]);
  });

  it('writes into the upper directory of a stopped container', () => {
    const lower = tree('put-lower');
    const root = { lowers: [lower], upper: bench.make('put-upper'), work: bench.make('put-work') };
    answerOf(archive('put', { root, path: '/etc' }, tar([{ name: 'conf', content: 'changed' }])));
    assert.deepEqual(below(bench.path('put-upper')), ['etc', 'etc/conf']);
    assert.equal(readFileSync(`${lower}/etc/conf`, 'utf8'), 'conf');
    answerOf(archive('put', { root, path: '/etc' }, tar([{ name: 'conf', content: 'again' }])));
  });

  it('needs an existing directory and keeps types when asked', () => {
    const dir = tree('types');
    const root = { dir };
    const data = tar([{ name: 'deep', content: 'a file' }]);
    assert.equal(refused('put', { root, path: '/missing' }, data).kind, 'not-found');
    assert.equal(refused('put', { root, path: '/etc/conf' }, data).errno, 'ENOTDIR');
    const message = refused(
      'put',
      { root, path: '/etc', noOverwriteDirNonDir: true },
      data,
    ).message;
    assert.match(message, /cannot overwrite a directory with a non-directory/u);
    const other = tar([{ name: 'conf/', type: '5' }]);
    assert.match(
      refused('put', { root, path: '/etc', noOverwriteDirNonDir: true }, other).message,
      /cannot overwrite a non-directory/u,
    );
    answerOf(archive('put', { root, path: '/etc' }, data));
    assert.ok(lstatSync(`${dir}/etc/deep`).isFile());
  });

  it('is forbidden on a read-only mount', () => {
    const lower = tree('ro-lower');
    const root = { lowers: [lower, bench.make('ro-other')] };
    assert.equal(refused('put', { root, path: '/etc' }, tar([{ name: 'x' }])).kind, 'forbidden');
  });

  it('never leaves the root, whatever the archive or the container does', async () => {
    const dir = bench.make('race');
    const secret = bench.make('secret');
    writeFileSync(`${secret}/key`, 'secret');
    mkdirSync(`${dir}/a/b`, { recursive: true });
    mkdirSync(`${dir}/spare`);
    const data = tar([
      { name: 'b/planted', content: 'p' },
      { name: 'b/d/planted', content: 'p' },
      { name: 's', type: '2', link: secret },
      { name: 's/planted', content: 'p' },
    ]);
    // A container that swaps a directory and a link to the outside as fast as it can.
    const swap = `cd ${dir} && ln -s ${secret} evil && while :; do mv -T a/b spare/b; mv -T evil a/b; mv -T a/b evil; mv -T spare/b a/b; done`;
    const child = spawn('sh', ['-c', swap], { stdio: 'ignore', detached: true });
    const closed = once(child, 'close');
    try {
      for (let turn = 0; turn < 60; turn += 1) {
        archive('put', { root: { dir }, path: '/a' }, data);
        const got = archive('get', { root: { dir }, path: '/a/b/key' });
        assert.ok(!got.stdout.includes('secret'), 'a file of the host was read');
        assert.notEqual(archive('stat', { root: { dir }, path: '/a/b/key' }).status, 0);
      }
    } finally {
      sendSignal(-(child.pid ?? 0), 'SIGKILL');
      await closed;
    }
    assert.deepEqual(readdirSync(secret), ['key'], 'a file was written outside');
    for (const name of ['../x', '/../../x', 'a/../../x']) {
      const outcome = archive('put', { root: { dir }, path: '/a' }, tar([{ name, content: '' }]));
      assert.equal(failureOf(outcome).kind, 'invalid');
    }
  });
});
