// `layer unpack` on the real kernel: what archives become, and that hostile ones leave nothing.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { after, describe, it } from 'node:test';
import { gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { end } from '../support/children.ts';
import { paxRecord, tar, tarEntry, type TarEntry } from '../support/tar.ts';
import { Bench, answerOf, below, failureOf } from './layer-rig.ts';
import { until } from './shim-rig.ts';

const sha256 = (data: Buffer): string =>
  `sha256:${createHash('sha256').update(data).digest('hex')}`;
/** The value in hexadecimal digits. Throws when there is none; the traceback is no news. */
const xattr = (path: string, name: string): string => {
  const program =
    'import os,sys; sys.stdout.write(os.getxattr(sys.argv[1],sys.argv[2],follow_symlinks=False).hex())';
  return execFileSync('python3', ['-c', program, path, name], { stdio: 'pipe' }).toString();
};
const isWhiteout = (path: string): boolean => {
  const stat = lstatSync(path);
  return stat.isCharacterDevice() && stat.rdev === 0;
};

const TREE: readonly TarEntry[] = [
  { name: './', type: '5', mode: 0o751 },
  { name: 'bin/', type: '5', mtime: 1_000_000_000 },
  {
    name: 'bin/tool',
    content: '#!/bin/sh\n',
    mode: 0o4755,
    pax: { mtime: '1234567890.123456789' },
  },
  { name: 'bin/link', type: '2', link: '../etc/target' },
  { name: 'bin/hard', type: '1', link: 'bin/tool' },
  { name: 'deep/down/file', content: 'x'.repeat(1000), mode: 0o600 },
  { name: 'pipe', type: '6', mode: 0o620 },
  {
    name: 'noted',
    content: 'n',
    pax: {
      'SCHILY.xattr.user.note': Buffer.from([1, 0, 2]),
      'SCHILY.xattr.user.overlay.opaque': 'y',
    },
  },
  { name: 'short', content: 'long', pax: { path: `${'p/'.repeat(80)}${'n'.repeat(200)}` } },
];

for (const where of ['root', 'mapped', 'single'] as const) {
  describe(`unpacking ${where === 'root' ? 'as root' : `in a user namespace (${where})`}`, () => {
    const bench = new Bench(where);
    after(() => {
      bench.close();
    });

    it('keeps types, modes, links, times, xattrs and long names', () => {
      const dir = bench.make('tree');
      const archive = tar(TREE);
      const answer = answerOf(bench.unpack(archive, { dir }));
      assert.equal(answer['diffId'], sha256(archive));
      assert.equal(answer['digest'], sha256(archive));
      assert.equal(answer['entries'], TREE.length);
      assert.equal(answer['usage'], 10 + 1000 + 1 + 4);
      const tool = lstatSync(`${dir}/bin/tool`, { bigint: true });
      assert.equal(tool.mode & 0o7777n, 0o4755n);
      assert.equal(tool.mtimeNs, 1_234_567_890_123_456_789n);
      assert.equal(tool.ino, lstatSync(`${dir}/bin/hard`, { bigint: true }).ino);
      assert.equal(lstatSync(`${dir}/bin`).mtimeMs, 1e12);
      assert.equal(lstatSync(dir).mode & 0o7777, 0o751);
      assert.equal(readlinkSync(`${dir}/bin/link`), '../etc/target');
      assert.equal(lstatSync(`${dir}/deep/down`).mode & 0o7777, 0o755);
      assert.ok(lstatSync(`${dir}/pipe`).isFIFO());
      assert.equal(lstatSync(`${dir}/pipe`).mode & 0o7777, 0o620);
      assert.equal(xattr(`${dir}/noted`, 'user.note'), '010002');
      assert.throws(() => xattr(`${dir}/noted`, 'user.overlay.opaque'));
      assert.equal(readFileSync(`${dir}/${'p/'.repeat(80)}${'n'.repeat(200)}`, 'utf8'), 'long');
    });

    it('turns whiteouts into overlay form, and back', () => {
      const dir = bench.make('white');
      const archive = tar([
        { name: 'gone/.wh.file' },
        { name: 'fresh/', type: '5' },
        { name: 'fresh/.wh..wh..opq' },
        { name: 'fresh/kept', content: 'k' },
        { name: 'same', content: 'mine' },
        { name: '.wh.same' },
        { name: '.wh.back' },
        { name: 'back/', type: '5' },
        { name: 'held/', type: '5' },
        { name: '.wh.held' },
        { name: '.wh..wh.plnk/x' },
      ]);
      answerOf(bench.unpack(archive, { dir }));
      assert.ok(isWhiteout(`${dir}/gone/file`));
      assert.equal(xattr(`${dir}/fresh`, 'user.overlay.opaque'), '79');
      assert.equal(readFileSync(`${dir}/same`, 'utf8'), 'mine');
      assert.equal(xattr(`${dir}/back`, 'user.overlay.opaque'), '79');
      assert.equal(xattr(`${dir}/held`, 'user.overlay.opaque'), '79');
      const out = bench.path('white.tar');
      bench.ask('diff', { dir, out, compress: 'none' });
      const names = execFileSync('tar', ['tf', out]).toString().trimEnd().split('\n');
      assert.ok(
        names.includes('gone/.wh.file') &&
          names.includes('fresh/.wh..wh..opq') &&
          names.includes('back/.wh..wh..opq'),
        names.join(),
      );
    });

    it('leaves whiteout names alone in plain form', () => {
      const dir = bench.make('plain');
      answerOf(
        bench.unpack(tar([{ name: '.wh.x', content: 'just a file' }]), { dir, form: 'plain' }),
      );
      assert.equal(readFileSync(`${dir}/.wh.x`, 'utf8'), 'just a file');
    });

    it('treats owners and devices as the name space allows', () => {
      const dir = bench.make('owners');
      const archive = tar([
        { name: 'file', uid: 1000, gid: 1001, mode: 0o6755 },
        { name: 'null', type: '3', major: 1, minor: 3, mode: 0o666 },
      ]);
      const answer = answerOf(bench.unpack(archive, { dir }));
      const stat = lstatSync(`${dir}/file`);
      if (where === 'single') assert.equal(stat.uid, 65_534);
      else assert.deepEqual([stat.uid, stat.gid], [1000, 1001]);
      assert.equal(stat.mode & 0o7777, 0o6755);
      assert.equal(answer['skippedDevices'], where === 'root' ? 0 : 1);
      assert.equal(existsSync(`${dir}/null`), where === 'root');
    });
  });
}

describe('an id that the user namespace does not hold', () => {
  const bench = new Bench('mapped');
  after(() => {
    bench.close();
  });

  it('fails a layer with the way out, and does not matter in a context', () => {
    const archive = tar([{ name: 'f', uid: 100_000 }]);
    const failure = failureOf(bench.unpack(archive, { dir: bench.make('strict') }));
    assert.match(failure.message, /100000:0 .*subuid/u);
    answerOf(bench.unpack(archive, { dir: bench.make('lenient'), form: 'plain' }));
  });
});

describe('streams', () => {
  const bench = new Bench();
  after(() => {
    bench.close();
  });
  const archive = tar([{ name: 'data', content: randomBytes(3_000_000) }, ...TREE]);

  for (const [name, compress, media] of [
    ['gzip', gzipSync, 'gzip'],
    ['zstd', zstdCompressSync, 'zstd'],
    ['plain', (data: Buffer) => data, 'zstd'],
  ] as const) {
    it(`hashes and keeps a ${name} blob in one pass`, () => {
      const blob = compress(archive);
      const dir = bench.make(name);
      const keep = bench.path(`${name}.blob`);
      const answer = answerOf(
        bench.unpack(blob, {
          dir,
          keep,
          expectDigest: sha256(blob),
          expectDiffId: sha256(archive),
        }),
      );
      assert.deepEqual(
        [answer['digest'], answer['size'], answer['diffId'], answer['diffSize']],
        [sha256(blob), blob.length, sha256(archive), archive.length],
      );
      const kept = readFileSync(keep);
      assert.deepEqual(answer['kept'], {
        digest: sha256(kept),
        size: kept.length,
        mediaType: `application/vnd.oci.image.layer.v1.tar+${media}`,
      });
      if (name === 'plain') assert.equal(sha256(zstdDecompressSync(kept)), sha256(archive));
      else assert.equal(sha256(kept), sha256(blob));
    });
  }

  it('reads gzip blobs of several members', () => {
    const blob = Buffer.concat([
      gzipSync(archive.subarray(0, 777)),
      gzipSync(archive.subarray(777)),
    ]);
    assert.equal(
      answerOf(bench.unpack(blob, { dir: bench.make('members') }))['diffId'],
      sha256(archive),
    );
  });

  for (const [name, blob, expected] of [
    ['a wrong digest', archive, { expectDigest: sha256(Buffer.from('other')) }],
    ['a wrong diff id', gzipSync(archive), { expectDiffId: sha256(Buffer.from('other')) }],
    ['a cut gzip stream', gzipSync(archive).subarray(0, 900_000), {}],
    ['a cut zstd stream', zstdCompressSync(archive).subarray(0, 500_000), {}],
    ['a cut plain stream', archive.subarray(0, 2_000_000), {}],
    ['a stream cut between entries', tar(TREE, { end: false }), {}],
    ['an empty stream', Buffer.alloc(0), {}],
    ['noise', Buffer.alloc(4096, 'noise'), {}],
    ['a gzip stream of noise', gzipSync(Buffer.alloc(4096, 'noise')), {}],
    ['xz', Buffer.from('/Td6WFoAAATm1rRGAgAhAQAAAAAAAAAA', 'base64'), {}],
    [
      'a gzip stream with rubbish after it',
      Buffer.concat([gzipSync(archive), Buffer.alloc(100, 'z')]),
      {},
    ],
  ] as const) {
    it(`refuses ${name} and leaves nothing`, () => {
      const dir = bench.make('refused');
      const keep = bench.path('refused.blob');
      const failure = failureOf(bench.unpack(blob, { dir, keep, ...expected }));
      assert.equal(failure.kind, 'invalid', failure.message);
      assert.deepEqual(readdirSync(dir), []);
      assert.ok(!below(bench.dir).some((path) => path.startsWith('refused.')));
    });
  }

  it('refuses a directory that is not empty, and does not touch it', () => {
    const dir = bench.make('filled');
    writeFileSync(`${dir}/mine`, '');
    assert.equal(failureOf(bench.unpack(archive, { dir })).kind, 'conflict');
    assert.deepEqual(readdirSync(dir), ['mine']);
  });

  it('leaves only what a remove takes away when it is killed', async () => {
    const dir = bench.make('killed', 'fs');
    const request = { dir, form: 'overlay', keep: bench.path('killed', 'blob') };
    const child = bench.start(['layer', 'unpack', '--request', JSON.stringify(request)]);
    child.stdin?.on('error', () => undefined);
    child.stdin?.write(archive.subarray(0, archive.length - 100_000));
    await until(() => existsSync(`${dir}/data`), 'the beginning of the tree');
    await end(child);
    assert.deepEqual(readdirSync(bench.path('killed')), ['fs']);
    bench.ask('remove', { dirs: [bench.path('killed'), bench.path('never-was')] });
    assert.ok(!existsSync(bench.path('killed')));
  });
});

describe('hostile archives', () => {
  const bench = new Bench();
  after(() => {
    bench.close();
  });
  const outside = (): string[] =>
    readdirSync(bench.dir).filter((name) => name !== 'in' && name !== 'victim');

  const refused: readonly (readonly [string, Buffer, string])[] = [
    ['a name that climbs out', tar([{ name: '../escaped', content: 'x' }]), 'invalid'],
    ['a name that climbs out later', tar([{ name: 'a/../../escaped', content: 'x' }]), 'invalid'],
    [
      'a hard link to a file outside',
      tar([{ name: 'passwd', type: '1', link: '../../../etc/passwd' }]),
      'invalid',
    ],
    [
      'a hard link to an absolute path',
      tar([{ name: 'passwd', type: '1', link: '/etc/passwd' }]),
      'not-found',
    ],
    [
      'a hard link through a symlink',
      tar([
        { name: 'e', type: '2', link: '/etc' },
        { name: 'p', type: '1', link: 'e/passwd' },
      ]),
      'not-found',
    ],
    [
      'a hard link through a loop',
      tar([
        { name: 'etc', type: '2', link: '/etc' },
        { name: 'p', type: '1', link: 'etc/passwd' },
      ]),
      'invalid',
    ],
    ['a NUL in a name', tar([{ name: 'x', pax: { path: Buffer.from('a\0b') } }]), 'invalid'],
    ['a name of 300 bytes', tar([{ name: 'x', pax: { path: 'n'.repeat(300) } }]), 'invalid'],
    [
      'a path of 5000 bytes',
      tar([{ name: 'x', pax: { path: 'n/'.repeat(2500) + 'f' } }]),
      'invalid',
    ],
    ['an unknown type', tar([{ name: 'x', type: 'Q' }]), 'invalid'],
    [
      'a wrong check sum',
      (() => {
        const bad = tar([{ name: 'x' }]);
        bad[0] = 0x79;
        return bad;
      })(),
      'invalid',
    ],
    ['a size beyond the end', tar([{ name: 'x', claim: 10_000_000 }]), 'invalid'],
    ['an endless pax header', tar([{ name: 'x', type: 'x', claim: 2 ** 40 }]), 'invalid'],
    [
      'a malformed pax record',
      tar([{ name: 'p', type: 'x', content: '99 path=x\n' }, { name: 'x' }]),
      'invalid',
    ],
    [
      'a negative size',
      tar([{ name: 'x', patch: (block) => block.fill(0xff, 124, 136) }]),
      'invalid',
    ],
    ['an id out of range', tar([{ name: 'x', pax: { uid: '4294967295' } }]), 'invalid'],
    ['a whiteout of the parent', tar([{ name: 'd/.wh...' }]), 'invalid'],
    ['a whiteout without a name', tar([{ name: 'd/.wh.' }]), 'invalid'],
    [
      'a sparse map out of order',
      sparse('1.0', 100, [
        [50, 10],
        [0, 10],
      ]),
      'invalid',
    ],
    ['a sparse map out of bounds', sparse('1.0', 100, [[90, 20]]), 'invalid'],
    [
      'a sparse map larger than its data',
      sparse('0.1', 1 << 20, [[0, 4096]], { data: 10 }),
      'invalid',
    ],
    ['a sparse file of 1 PB', sparse('1.0', 2 ** 50, [[0, 1]]), 'invalid'],
    ['more data than allowed', tar([{ name: 'big', content: Buffer.alloc(3 << 20) }]), 'invalid'],
    [
      'more entries than allowed',
      tar(Array.from({ length: 200 }, (_, at) => ({ name: `f${String(at)}` }))),
      'invalid',
    ],
    ['a gzip bomb', gzipSync(tar([{ name: 'zeros', content: Buffer.alloc(64 << 20) }])), 'invalid'],
  ];
  for (const [name, archive, kind] of refused) {
    it(`refuses ${name} and leaves nothing`, () => {
      const dir = bench.make('in');
      const failure = failureOf(
        bench.unpack(archive, { dir, limits: { bytes: 2 << 20, entries: 100 } }),
      );
      assert.equal(failure.kind, kind, failure.message);
      assert.deepEqual(readdirSync(dir), []);
      assert.deepEqual(outside(), []);
    });
  }

  it('keeps links that lead outside inside', () => {
    const dir = bench.make('in');
    const victim = bench.make('victim');
    const archive = tar([
      { name: 'abs', type: '2', link: victim },
      { name: 'abs/one', content: '1' },
      { name: 'rel', type: '2', link: `../../../../../../..${victim}` },
      { name: 'rel/two', content: '2' },
      { name: '/rooted', content: '3' },
      { name: 'last', type: '2', link: `${victim}/three` },
      { name: 'last', content: '4' },
    ]);
    answerOf(bench.unpack(archive, { dir }));
    assert.deepEqual(readdirSync(victim), []);
    assert.equal(readFileSync(`${dir}${victim}/one`, 'utf8'), '1');
    assert.equal(readFileSync(`${dir}${victim}/two`, 'utf8'), '2');
    assert.equal(readFileSync(`${dir}/rooted`, 'utf8'), '3');
    assert.ok(lstatSync(`${dir}/last`).isFile());
    bench.ask('remove', { dirs: [dir] });
  });

  it('replaces entries of another type, as tar does', () => {
    const dir = bench.make('in');
    const archive = tar([
      { name: 'x/y/z', content: 'deep' },
      { name: 'x', content: 'file' },
      { name: 'f', content: 'file' },
      { name: 'f/', type: '5', mode: 0o700 },
      { name: 'f/g', content: 'g' },
      { name: 'self', content: 's' },
      { name: 'self', type: '1', link: 'self' },
    ]);
    answerOf(bench.unpack(archive, { dir }));
    assert.deepEqual(below(dir), ['f', 'f/g', 'self', 'x']);
    assert.equal(statSync(`${dir}/f`).mode & 0o777, 0o700);
    bench.ask('remove', { dirs: [dir] });
  });

  it('unpacks sparse files of every form without their holes', () => {
    const dir = bench.make('in');
    const size = 1 << 30;
    const map = [
      [4096, 5],
      [size - 7, 7],
    ] as const;
    const parts = [
      sparse('0.0', size, map, { name: 'v00', end: false }),
      sparse('0.1', size, map, { name: 'v01', end: false }),
      sparse('1.0', size, map, { name: 'v10', end: false }),
      sparse('gnu', size, map, { name: 'old' }),
    ];
    answerOf(bench.unpack(Buffer.concat(parts), { dir }));
    for (const name of ['v00', 'v01', 'v10', 'old']) {
      const stat = statSync(`${dir}/${name}`);
      assert.equal(stat.size, size, name);
      assert.ok(stat.blocks < 100, `${name} takes ${String(stat.blocks)} blocks`);
      const tail = execFileSync('tail', ['-c', '8', `${dir}/${name}`]);
      assert.deepEqual(tail, Buffer.from('\0ddddddd'), name);
    }
    bench.ask('remove', { dirs: [dir] });
  });

  it('reads what GNU tar writes, sparse and with long names', () => {
    const from = bench.make('victim');
    execFileSync('sh', [
      '-c',
      `truncate -s 100M ${from}/hole && echo end >>${from}/hole && mkdir -p ${from}/${'d'.repeat(120)}/${'e'.repeat(120)} && echo x >${from}/${'d'.repeat(120)}/${'e'.repeat(120)}/f`,
    ]);
    for (const format of ['gnu', 'posix', 'oldgnu']) {
      const dir = bench.make('in');
      const archive = execFileSync('tar', ['cS', `--format=${format}`, '-C', from, '.'], {
        maxBuffer: 1 << 28,
      });
      answerOf(bench.unpack(archive, { dir }));
      execFileSync('diff', ['-r', from, dir]);
      bench.ask('remove', { dirs: [dir] });
    }
  });

  it('takes a tree away that is nested deeper than a path can say', () => {
    const dir = bench.make('in');
    execFileSync('python3', [
      '-c',
      'import os,sys\nos.chdir(sys.argv[1])\nfor i in range(5000):\n os.mkdir("dddddddddd"); os.chdir("dddddddddd")\nopen("f","w")',
      dir,
    ]);
    const failure = bench.refuse('diff', { dir });
    assert.match(failure.message, /nested more than/u);
    bench.ask('remove', { dirs: [dir] });
    assert.ok(!existsSync(dir));
  });

  it('unpacks hundreds of thousands of entries', { timeout: 120_000 }, () => {
    const dir = bench.make('in');
    const hundred = Buffer.concat(
      Array.from({ length: 100 }, (_, at) => tarEntry({ name: `d${String(at)}/`, type: '5' })),
    );
    const archive = gzipSync(
      Buffer.concat([...Array<Buffer>(3000).fill(hundred), Buffer.alloc(1024)]),
      { level: 1 },
    );
    const answer = answerOf(bench.unpack(archive, { dir }));
    assert.equal(answer['entries'], 300_000);
    bench.ask('remove', { dirs: [dir] });
  });
});

interface SparseOptions {
  readonly name?: string;
  readonly data?: number;
  readonly end?: boolean;
}

/** A sparse file of one of GNU tar's forms, with `d` for data. */
function sparse(
  form: '0.0' | '0.1' | '1.0' | 'gnu',
  size: number,
  map: readonly (readonly [number, number])[],
  options: SparseOptions = {},
): Buffer {
  const data = Buffer.alloc(options.data ?? map.reduce((sum, [, length]) => sum + length, 0), 'd');
  const name = options.name ?? 'sparse';
  const end = { end: options.end ?? true };
  const field = (value: number): string => `${value.toString(8).padStart(11, '0')}\0`;
  if (form === 'gnu') {
    const patch = (block: Buffer): void => {
      block.write('ustar  \0', 257, 'latin1');
      block.fill(0, 345, 500);
      block.write(map.map(([at, length]) => field(at) + field(length)).join(''), 386, 'latin1');
      block.write(field(size), 483, 'latin1');
    };
    return tar([{ name, type: 'S', content: data, patch }], end);
  }
  if (form === '0.0') {
    const records = map.flatMap(([at, length]) => [
      paxRecord('GNU.sparse.offset', String(at)),
      paxRecord('GNU.sparse.numbytes', String(length)),
    ]);
    const body = Buffer.concat([paxRecord('GNU.sparse.size', String(size)), ...records]);
    return tar(
      [
        { name: 'pax', type: 'x', content: body },
        { name, content: data },
      ],
      end,
    );
  }
  const pax: Record<string, string> = {
    'GNU.sparse.name': name,
    'GNU.sparse.realsize': String(size),
  };
  if (form === '0.1') {
    pax['GNU.sparse.map'] = map.flat().join(',');
    return tar([{ name: 'hidden', content: data, pax }], end);
  }
  Object.assign(pax, { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0' });
  const text = Buffer.from(
    [map.length, ...map.flat()].map((number) => `${String(number)}\n`).join(''),
  );
  const content = Buffer.concat([text, Buffer.alloc((512 - (text.length % 512)) % 512), data]);
  return tar([{ name: 'hidden', content, pax }], end);
}
