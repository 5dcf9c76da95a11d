// `layer copy`, `hash`, `mkdir`, `diff` and `changes` on the real kernel, into plain directories and overlays.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { after, describe, it } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { tar } from '../support/tar.ts';
import { Bench, below, failureOf } from './layer-rig.ts';

interface Match {
  readonly path: string;
  readonly digest: string;
}

function write(root: string, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(`${root}/${path}`), { recursive: true });
    writeFileSync(`${root}/${path}`, content);
  }
}

const CONTEXT: Readonly<Record<string, string>> = {
  'a.txt': 'a',
  'b.txt': 'b',
  'c.md': 'c',
  'src/main.c': 'main',
  'src/lib/one.c': 'one',
  'src/lib/two.h': 'two',
  'node_modules/x/index.js': 'x',
};

for (const where of ['root', 'mapped', 'single'] as const) {
  describe(`copying ${where === 'root' ? 'as root' : `in a user namespace (${where})`}`, () => {
    const bench = new Bench(where);
    const context = bench.make('context');
    write(context, CONTEXT);
    let count = 0;
    /** A fresh overlay whose base image has the usual files. */
    const overlay = (): { root: Record<string, unknown>; upper: string } => {
      count += 1;
      const base = bench.make(`o${String(count)}`, 'base');
      write(base, {
        'etc/passwd': 'root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/app:/bin/sh\n',
        'etc/group': 'root:x:0:\nstaff:x:50:app\n',
        'old/file': 'old',
      });
      symlinkSync('/real', `${base}/link`);
      mkdirSync(`${base}/real`);
      symlinkSync('/made/later', `${base}/dangling`);
      if (where === 'single') execFileSync('chown', ['-R', '65534:65534', base]);
      const upper = bench.make(`o${String(count)}`, 'upper');
      const work = bench.make(`o${String(count)}`, 'work');
      return { root: { lowers: [base], upper, work }, upper };
    };
    after(() => {
      bench.close();
    });
    const copy = (
      items: readonly { pattern: string; dest: string }[],
      more: Readonly<Record<string, unknown>> = {},
    ): string => {
      const { root, upper } = overlay();
      bench.ask('copy', {
        source: { dir: context },
        target: root,
        items,
        wildcards: true,
        ...more,
      });
      // It can be mounted again: nothing marks it as volatile.
      bench.ask('mkdir', { target: root, path: '/again', owner: null, mode: null });
      return upper;
    };

    it('copies what a directory holds, not the directory', () => {
      const upper = copy([{ pattern: 'src', dest: '/app' }]);
      assert.deepEqual(below(`${upper}/app`), ['lib', 'lib/one.c', 'lib/two.h', 'main.c']);
      assert.equal(readFileSync(`${upper}/app/lib/one.c`, 'utf8'), 'one');
    });

    it('copies the whole context for "." and "/", without what is ignored', () => {
      const ignore = ['node_modules', '*.md', 'src/**', '!src/lib/two.h'];
      for (const pattern of ['.', '/', './']) {
        const upper = copy([{ pattern, dest: '/app/' }], { ignore });
        assert.deepEqual(below(`${upper}/app`), [
          'a.txt',
          'b.txt',
          'src',
          'src/lib',
          'src/lib/two.h',
        ]);
      }
    });

    it('copies a file to a name, into a directory, and several only into a directory', () => {
      assert.equal(
        readFileSync(`${copy([{ pattern: 'a.txt', dest: '/new/name' }])}/new/name`, 'utf8'),
        'a',
      );
      assert.deepEqual(readdirSync(`${copy([{ pattern: 'a.txt', dest: '/new/' }])}/new`), [
        'a.txt',
      ]);
      assert.deepEqual(readdirSync(`${copy([{ pattern: 'a.txt', dest: '/old' }])}/old`), ['a.txt']);
      assert.deepEqual(readdirSync(`${copy([{ pattern: '[ab].t?t', dest: '/new/' }])}/new`), [
        'a.txt',
        'b.txt',
      ]);
      const { root } = overlay();
      const failure = bench.refuse('copy', {
        source: { dir: context },
        target: root,
        items: [{ pattern: '*.txt', dest: '/new' }],
        wildcards: true,
      });
      assert.match(failure.message, /destination must be a directory/u);
    });

    it('names the pattern that matches nothing', () => {
      for (const pattern of ['missing', '*.none', 'node_modules/x/index.js']) {
        const { root } = overlay();
        const failure = bench.refuse('copy', {
          source: { dir: context },
          target: root,
          items: [{ pattern, dest: '/x' }],
          ignore: ['node_modules'],
          wildcards: true,
        });
        assert.equal(failure.kind, 'not-found');
        assert.ok(failure.message.includes(pattern), failure.message);
      }
    });

    it('follows links of the destination within the root, and makes what they lack', () => {
      assert.deepEqual(readdirSync(`${copy([{ pattern: 'a.txt', dest: '/link/' }])}/real`), [
        'a.txt',
      ]);
      assert.deepEqual(
        readdirSync(`${copy([{ pattern: 'a.txt', dest: '/dangling/' }])}/made/later`),
        ['a.txt'],
      );
    });

    it('sets owners and modes as asked', () => {
      const upper = copy([{ pattern: 'src', dest: '/app' }], {
        chown: 'app:staff',
        chmod: 'u=rwX,go=rX',
      });
      const stat = statSync(`${upper}/app/lib/one.c`);
      assert.equal(stat.mode & 0o7777, 0o644);
      assert.equal(statSync(`${upper}/app/lib`).mode & 0o7777, 0o755);
      if (where !== 'single') {
        assert.deepEqual([stat.uid, stat.gid], [1000, 50]);
        assert.deepEqual([statSync(`${upper}/app`).uid, statSync(`${upper}/app`).gid], [1000, 50]);
        assert.equal(
          statSync(`${copy([{ pattern: 'a.txt', dest: '/f' }], { chown: 'app' })}/f`).gid,
          1001,
        );
        assert.equal(
          statSync(`${copy([{ pattern: 'a.txt', dest: '/f' }], { chown: '12:34' })}/f`).gid,
          34,
        );
      }
      const { root } = overlay();
      const failure = bench.refuse('copy', {
        source: { dir: context },
        target: root,
        items: [{ pattern: '.', dest: '/' }],
        chown: 'nobody-here',
      });
      assert.match(failure.message, /no user "nobody-here"/u);
    });

    it('keeps the paths of --parents after the pivot, and honours --exclude', () => {
      const parents = copy([{ pattern: './src/./lib/*.c', dest: '/p/' }], { parents: true });
      assert.deepEqual(below(`${parents}/p`), ['lib', 'lib/one.c']);
      const deep = copy([{ pattern: '**/*.c', dest: '/p' }], { parents: true });
      assert.deepEqual(below(`${deep}/p`), ['src', 'src/lib', 'src/lib/one.c', 'src/main.c']);
      const some = copy([{ pattern: '.', dest: '/p' }], {
        exclude: ['*.txt', 'src/lib', 'node_modules'],
      });
      assert.deepEqual(below(`${some}/p`), ['c.md', 'src', 'src/main.c']);
    });

    it('unpacks local archives for ADD, and only archives', () => {
      const archive = tar([{ name: 'd/f', content: 'packed', mode: 0o640 }]);
      for (const [name, data] of [
        ['t.tar', archive],
        ['t.tgz', gzipSync(archive)],
        ['t.zst', zstdCompressSync(archive)],
      ] as const) {
        writeFileSync(`${context}/${name}`, data);
        const upper = copy([{ pattern: name, dest: '/x' }], { unpackArchives: true });
        assert.deepEqual(below(`${upper}/x`), ['d', 'd/f']);
        assert.deepEqual(readdirSync(`${copy([{ pattern: name, dest: '/x/' }])}/x`), [name]);
      }
      writeFileSync(`${context}/note.gz`, gzipSync('no archive'));
      assert.deepEqual(
        readdirSync(`${copy([{ pattern: 'note.gz', dest: '/x/' }], { unpackArchives: true })}/x`),
        ['note.gz'],
      );
    });
  });
}

describe('details of a copy', () => {
  const bench = new Bench();
  after(() => {
    bench.close();
  });
  const copyTree = (from: string, more: Readonly<Record<string, unknown>> = {}): string => {
    const target = bench.make(`to-${String(readdirSync(bench.dir).length)}`);
    bench.ask('copy', {
      source: { dir: from },
      target: { dir: target },
      items: [{ pattern: '.', dest: '/' }],
      ...more,
    });
    return target;
  };

  it('keeps links, modes, times, xattrs, holes and big files', () => {
    const from = bench.make('from');
    write(from, { file: 'f', 'dir/x': 'x' });
    writeFileSync(`${from}/big`, Buffer.alloc(5_000_000, 'big'));
    execFileSync('sh', [
      '-c',
      `truncate -s 1G ${from}/hole; printf end >>${from}/hole; mkfifo ${from}/pipe`,
    ]);
    execFileSync('python3', [
      '-c',
      'import os,sys; os.setxattr(sys.argv[1],"user.k",b"v")',
      `${from}/file`,
    ]);
    symlinkSync('../../outside', `${from}/link`);
    chmodSync(`${from}/file`, 0o4711);
    chownSync(`${from}/dir/x`, 7, 8);
    utimesSync(`${from}/dir`, 1, 1.5);
    const to = copyTree(from, { keepOwner: true });
    assert.equal(readlinkSync(`${to}/link`), '../../outside');
    assert.equal(statSync(`${to}/file`).mode & 0o7777, 0o4711);
    assert.equal(statSync(`${to}/dir`).mtimeMs, 1500);
    assert.deepEqual([statSync(`${to}/dir/x`).uid, statSync(`${to}/dir/x`).gid], [7, 8]);
    assert.ok(lstatSync(`${to}/pipe`).isFIFO());
    assert.ok(statSync(`${to}/hole`).blocks < 100);
    execFileSync('cmp', [`${from}/hole`, `${to}/hole`]);
    execFileSync('cmp', [`${from}/big`, `${to}/big`]);
    assert.equal(
      execFileSync('python3', [
        '-c',
        'import os,sys; print(os.getxattr(sys.argv[1],"user.k"))',
        `${to}/file`,
      ])
        .toString()
        .trim(),
      "b'v'",
    );
    assert.equal(statSync(`${copyTree(from)}/dir/x`).uid, 0);
    assert.equal(statSync(`${copyTree(from, { mtime: 1 })}/file`).mtimeMs, 1000);
    bench.ask('remove', { dirs: [from] });
  });

  it('refuses to put a directory onto a file and a file onto a directory', () => {
    const from = bench.make('clash');
    write(from, { 'a/b': '', c: '' });
    const target = bench.make('clash-target');
    write(target, { a: '', 'c/d': '' });
    for (const item of [
      { pattern: '.', dest: '/' },
      { pattern: 'a', dest: '/a' },
    ]) {
      const failure = bench.refuse('copy', {
        source: { dir: from },
        target: { dir: target },
        items: [item],
      });
      assert.match(failure.kind, /conflict|invalid/u);
    }
    const onto = bench.refuse('copy', {
      source: { dir: from },
      target: { dir: target },
      items: [{ pattern: 'c', dest: '/' }],
    });
    assert.equal(onto.kind, 'conflict');
  });

  it('never leaves the roots through links of the source or the target', () => {
    const secret = bench.make('secret');
    write(secret, { key: 'secret' });
    const from = bench.make('linked');
    symlinkSync(secret, `${from}/abs`);
    symlinkSync('../../../../../../../../../../etc/passwd', `${from}/rel`);
    for (const pattern of ['abs', 'abs/key', 'rel']) {
      const failure = bench.refuse('copy', {
        source: { dir: from },
        target: { dir: bench.make('t') },
        items: [{ pattern, dest: '/x' }],
      });
      assert.equal(failure.kind, 'not-found');
    }
    const target = bench.make('hostile-target');
    symlinkSync(secret, `${target}/out`);
    symlinkSync(`${secret}/key`, `${target}/file`);
    write(from, { plain: 'p' });
    bench.ask('copy', {
      source: { dir: from },
      target: { dir: target },
      items: [
        { pattern: 'plain', dest: '/out/' },
        { pattern: 'plain', dest: '/file' },
      ],
    });
    assert.deepEqual(readdirSync(secret), ['key']);
    assert.equal(readFileSync(`${secret}/key`, 'utf8'), 'secret');
    assert.equal(readFileSync(`${target}${secret}/plain`, 'utf8'), 'p');
  });

  it('bounds /etc/passwd of the target', () => {
    const from = bench.make('users');
    write(from, { f: '' });
    const target = bench.make('passwd');
    write(target, { 'etc/passwd': `${'x'.repeat(1000)}\n`.repeat(5000) });
    const request = {
      source: { dir: from },
      target: { dir: target },
      items: [{ pattern: 'f', dest: '/f' }],
      chown: 'app',
    };
    assert.match(bench.refuse('copy', request).message, /larger than 4 MiB/u);
    bench.ask('remove', { dirs: [`${target}/etc/passwd`] });
    execFileSync('mkfifo', [`${target}/etc/passwd`]);
    assert.match(bench.refuse('copy', request).message, /no regular file/u);
  });

  it('mounts hundreds of lower layers', () => {
    const lowers = Array.from({ length: 300 }, (_, at) => {
      const dir = bench.make('many', `layer-with-a-name-of-some-length-${String(at)}`);
      writeFileSync(`${dir}/f${String(at)}`, String(at));
      return dir;
    });
    const answer = bench.ask('hash', { source: { lowers }, patterns: ['f*'], wildcards: true });
    const [entry] = answer['entries'] as { matches: Match[] }[];
    assert.equal(entry?.matches.length, 300);
  });

  it("takes a directory's own attributes along when asked", () => {
    const from = bench.make('volume');
    mkdirSync(`${from}/data`, { mode: 0o700 });
    chownSync(`${from}/data`, 999, 998);
    chmodSync(`${from}/data`, 0o1770);
    const target = bench.make('volume-target');
    const request = {
      source: { dir: from },
      target: { dir: target },
      items: [{ pattern: '/data', dest: '/' }],
      keepOwner: true,
    };
    bench.ask('copy', request);
    assert.equal(statSync(target).uid, 0);
    bench.ask('copy', { ...request, topAttributes: true });
    assert.deepEqual([statSync(target).uid, statSync(target).mode & 0o7777], [999, 0o1770]);
  });
});

describe('content hashes', () => {
  const bench = new Bench();
  const context = bench.make('context');
  after(() => {
    bench.close();
  });
  const hash = (
    patterns: readonly string[],
    more: Readonly<Record<string, unknown>> = {},
  ): Match[] => {
    const answer = bench.ask('hash', {
      source: { dir: context },
      patterns,
      ignore: [],
      wildcards: true,
      followLinks: true,
      ...more,
    });
    return (answer['entries'] as { matches: Match[] }[]).flatMap(({ matches }) => matches);
  };

  it('change with contents, names, modes, links and xattrs, and not with times, owners or what is ignored', () => {
    write(context, CONTEXT);
    const seen = new Set([hash(['.'])[0]?.digest]);
    const same = (what: string): void => {
      assert.ok(seen.has(hash(['.'], { ignore: ['*.log'] })[0]?.digest), what);
    };
    const differs = (what: string): void => {
      const { length } = [...seen];
      seen.add(hash(['.'], { ignore: ['*.log'] })[0]?.digest);
      assert.equal(seen.size, length + 1, what);
    };
    utimesSync(`${context}/a.txt`, 5, 5);
    chownSync(`${context}/a.txt`, 3, 4);
    write(context, { 'x.log': 'noise' });
    chmodSync(context, 0o700);
    same('times, owners, ignored files and the top directory');
    writeFileSync(`${context}/a.txt`, 'A');
    differs('content');
    chmodSync(`${context}/a.txt`, 0o755);
    differs('mode');
    symlinkSync('a.txt', `${context}/link`);
    differs('a new link');
    execFileSync('ln', ['-sfn', 'b.txt', `${context}/link`]);
    differs('the target of a link');
    mkdirSync(`${context}/empty`);
    differs('an empty directory');
    execFileSync('python3', [
      '-c',
      'import os,sys; os.setxattr(sys.argv[1],"user.k",b"v")',
      `${context}/b.txt`,
    ]);
    differs('an xattr');
    execFileSync('mv', [`${context}/b.txt`, `${context}/bb.txt`]);
    differs('a name');
  });

  it('count owners in trees of images', () => {
    const image = bench.make('image');
    write(image, { f: 'x' });
    const digest = (): string | undefined =>
      hash(['f'], { source: { lowers: [image] } })[0]?.digest;
    const before = digest();
    chownSync(`${image}/f`, 5, 5);
    assert.notEqual(digest(), before);
  });

  it('list the matches of each pattern, and none for what is missing', () => {
    assert.deepEqual(
      hash(['*.md', 'missing', 'src/*']).map(({ path }) => path),
      ['c.md', 'src/lib', 'src/main.c'],
    );
  });

  it('hide whiteouts of a single layer', () => {
    const image = bench.make('white');
    execFileSync('mknod', [`${image}/gone`, 'c', '0', '0']);
    assert.deepEqual(hash(['gone', '*'], { source: { lowers: [image] } }), []);
  });
});

describe('differences', () => {
  const bench = new Bench();
  after(() => {
    bench.close();
  });
  const sha256 = (path: string): string =>
    `sha256:${createHash('sha256').update(readFileSync(path)).digest('hex')}`;

  it('pack a tree the same way whichever way it is asked, and tar reads it back', () => {
    const upper = bench.make('upper');
    write(upper, { ...CONTEXT, ['n'.repeat(150)]: 'long', 'b/c': '', 'b.c': '', ünï: 'u' });
    linkSync(`${upper}/a.txt`, `${upper}/z.txt`);
    symlinkSync('t'.repeat(200), `${upper}/link`);
    execFileSync('mknod', [`${upper}/dev`, 'c', '1', '3']);
    execFileSync('python3', [
      '-c',
      'import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])',
      `${upper}/sock`,
    ]);
    const hashed = bench.ask('diff', { dir: upper, out: null, compress: 'none' });
    const streamed = bench.run(['layer', 'diff', '--to-stdout'], JSON.stringify({ dir: upper }));
    assert.equal(streamed.status, 0, streamed.stderr);
    assert.deepEqual(JSON.parse(streamed.answer), hashed);
    const out = bench.path('out.tar');
    assert.deepEqual(bench.ask('diff', { dir: upper, out, compress: 'none' }), hashed);
    assert.equal(sha256(out), hashed['diffId']);
    assert.deepEqual(readFileSync(out), streamed.stdout);
    const to = bench.make('read-back');
    execFileSync('tar', ['xpf', out, '-C', to]);
    assert.equal(statSync(`${to}/dev`).rdev, statSync(`${upper}/dev`).rdev);
    bench.ask('remove', { dirs: [`${upper}/sock`] });
    // diff holds device nodes for different when their change times (in seconds) are.
    execFileSync('diff', ['-r', '--no-dereference', '--exclude=dev', upper, to]);
    assert.equal(statSync(`${to}/a.txt`).ino, statSync(`${to}/z.txt`).ino);
    assert.equal(
      lstatSync(`${to}/a.txt`, { bigint: true }).mtimeNs,
      lstatSync(`${upper}/a.txt`, { bigint: true }).mtimeNs,
    );
    for (const compress of ['gzip', 'zstd']) {
      const packed = bench.ask('diff', { dir: upper, out: `${out}.${compress}`, compress });
      assert.deepEqual(
        [packed['diffId'], packed['digest']],
        [hashed['diffId'], sha256(`${out}.${compress}`)],
      );
      const again = bench.make(compress);
      bench.unpack(readFileSync(`${out}.${compress}`), { dir: again });
      assert.equal(
        bench.ask('diff', { dir: again })['diffId'],
        hashed['diffId'],
        'unpacking and packing changes nothing',
      );
    }
    const clamped = bench.ask('diff', { dir: upper, sourceDateEpoch: 1_000_000 });
    assert.deepEqual(bench.ask('diff', { dir: to, sourceDateEpoch: 1_000_000 }), clamped);
  });

  it('leave nothing when they cannot be written', () => {
    const upper = bench.make('unwritten');
    write(upper, { f: 'x' });
    assert.equal(
      bench.refuse('diff', { dir: upper, out: bench.path('no', 'such', 'dir') }).kind,
      'not-found',
    );
    assert.equal(bench.refuse('diff', { dir: bench.path('nowhere') }).kind, 'not-found');
    const full = failureOf(
      bench.run(['layer', 'diff'], JSON.stringify({ dir: upper, out: '/dev/null/x' })),
    );
    assert.equal(full.errno, 'ENOTDIR');
  });

  it('are listed as docker diff lists them', () => {
    const lower = bench.make('lower');
    write(lower, { 'etc/kept': '', 'etc/changed': '', 'etc/gone': '', 'usr/bin/x': '' });
    const upper = bench.make('changes');
    write(upper, { 'etc/changed': 'new', 'etc/added': '', 'new/dir/f': '' });
    mkdirSync(`${upper}/usr`);
    execFileSync('touch', ['-r', `${lower}/usr`, `${upper}/usr`]);
    execFileSync('mknod', [`${upper}/etc/gone`, 'c', '0', '0']);
    execFileSync('mknod', [`${upper}/never`, 'c', '0', '0']);
    const { changes } = bench.ask('changes', { lowers: [lower], upper });
    assert.deepEqual(changes, [
      { path: '/etc', kind: 0 },
      { path: '/etc/added', kind: 1 },
      { path: '/etc/changed', kind: 0 },
      { path: '/etc/gone', kind: 2 },
      { path: '/new', kind: 1 },
      { path: '/new/dir', kind: 1 },
      { path: '/new/dir/f', kind: 1 },
    ]);
  });

  it('count what trees use, hard links once, and sync', () => {
    const dir = bench.make('usage');
    write(dir, { a: 'x'.repeat(100), 'd/b': 'y'.repeat(11) });
    linkSync(`${dir}/a`, `${dir}/d/again`);
    assert.deepEqual(bench.ask('usage', { dirs: [dir] }), { bytes: [111] });
    assert.deepEqual(bench.ask('sync', { dirs: [dir] }), { synced: 1 });
  });

  it('make working directories with their owner, through links of the root', () => {
    const root = bench.make('workdir');
    write(root, { 'etc/passwd': 'app:x:1000:1000::/:/bin/sh\n' });
    symlinkSync('/elsewhere', `${root}/srv`);
    assert.deepEqual(
      bench.ask('mkdir', {
        target: { dir: root },
        path: '/srv/app/../work',
        owner: 'app',
        mode: null,
      }),
      { created: true },
    );
    assert.equal(statSync(`${root}/elsewhere/work`).uid, 1000);
    assert.deepEqual(
      bench.ask('mkdir', { target: { dir: root }, path: '/srv/work', owner: null, mode: '0700' }),
      { created: false },
    );
    assert.equal(statSync(`${root}/elsewhere/work`).mode & 0o777, 0o755);
    write(root, { file: '' });
    assert.equal(
      bench.refuse('mkdir', { target: { dir: root }, path: '/file/x', owner: null, mode: null })
        .errno,
      'ENOTDIR',
    );
    assert.ok(!existsSync('/elsewhere'));
  });
});

describe('requests', () => {
  const bench = new Bench();
  after(() => {
    bench.close();
  });

  it('that are malformed are refused in one line', () => {
    for (const args of [
      ['layer'],
      ['layer', 'nonsense'],
      ['layer', 'copy'],
      ['layer', 'copy', '--what'],
      ['layer', 'unpack'],
      ['layer', 'unpack', '--request', '{'],
    ]) {
      assert.equal(failureOf(bench.run(args, '{"no":')).kind, 'invalid', args.join(' '));
    }
  });

  it('never remove what is not an absolute path below /', () => {
    for (const dir of ['/', 'relative', ''])
      assert.equal(bench.refuse('remove', { dirs: [dir] }).kind, 'invalid');
  });
});
