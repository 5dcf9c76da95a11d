/** The best shell of a container, found by looking at its files. */
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { archiveOf } from '../../client/files/tar.ts';
import { EngineError } from '../../lib/errors.ts';
import { chooseShell, type Files, shellOf } from './choose.ts';

const PASSWD =
  'root:x:0:0:root:/root:/bin/zsh\nada:x:1000:1000::/home/ada:/usr/bin/fish\nnobody:x:65534:65534::/:/usr/sbin/nologin\nodd:x:7:7::/:relative\n';

test("the user's own shell is read by name and by id", () => {
  assert.equal(shellOf(PASSWD, ''), '/bin/zsh');
  assert.equal(shellOf(PASSWD, 'ada:staff'), '/usr/bin/fish');
  assert.equal(shellOf(PASSWD, '1000'), '/usr/bin/fish');
  assert.equal(shellOf(PASSWD, 'odd'), undefined);
  assert.equal(shellOf(PASSWD, 'none'), undefined);
  assert.equal(shellOf(':::\n\0', 'ada'), undefined);
});

/** Paths → what they are: `x` a program, `-` a file, `d` a folder, others: where a link leads. */
function files(passwd: string | undefined, entries: Readonly<Record<string, string>>): Files {
  const missing = (path: string): EngineError => new EngineError('not-found', path);
  return {
    archiveGet: (_id, path) => {
      if (passwd === undefined) return Promise.reject(missing(path));
      const content = Buffer.from(passwd);
      const tar = archiveOf({ name: 'passwd', size: content.length }, Readable.from([content]));
      return Promise.resolve({ stat: stat('-', path), tar });
    },
    archiveStat: (_id, path) => {
      const entry = entries[path];
      return entry === undefined
        ? Promise.reject(missing(path))
        : Promise.resolve(stat(entry, path));
    },
  };
}

function stat(entry: string, name: string): Awaited<ReturnType<Files['archiveStat']>> {
  const modes: Record<string, number> = { x: 0o755, '-': 0o644, d: 2 ** 31 + 0o755 };
  const mode = modes[entry];
  return {
    name,
    size: 1,
    mtime: '',
    mode: mode ?? 2 ** 27 + 0o777,
    linkTarget: mode === undefined ? entry : '',
  };
}

const choose = (
  passwd: string | undefined,
  user: string,
  entries: Readonly<Record<string, string>>,
): Promise<string | undefined> => chooseShell(files(passwd, entries), 'c', user);

test('the own shell where it is there, else the best of the others', async () => {
  assert.equal(await choose(PASSWD, '', { '/bin/zsh': 'x', '/bin/bash': 'x' }), '/bin/zsh');
  assert.equal(await choose(PASSWD, '', { '/bin/bash': 'x', '/bin/sh': 'x' }), '/bin/bash');
  assert.equal(
    await choose(PASSWD, 'nobody', { '/usr/sbin/nologin': 'x', '/bin/sh': 'x' }),
    '/bin/sh',
  );
  assert.equal(await choose(undefined, '1000', { '/bin/ash': 'x' }), '/bin/ash');
  assert.equal(await choose(undefined, '', {}), undefined);
});

test('links are followed, folders and files that nobody may run are passed over', async () => {
  assert.equal(
    await choose(undefined, '', {
      '/bin/bash': 'd',
      '/bin/ash': '-',
      '/bin/sh': '/bin/busybox',
      '/bin/busybox': 'x',
    }),
    '/bin/sh',
  );
  assert.equal(
    await choose(undefined, '', { '/bin/sh': 'busybox', '/bin/busybox': 'x' }),
    '/bin/sh',
  );
  assert.equal(
    await choose(undefined, '', { '/bin/sh': '/bin/ash', '/bin/ash': '/bin/sh' }),
    undefined,
  );
  assert.equal(await choose(undefined, '', { '/bin/sh': '/gone' }), undefined);
});

test('an engine that cannot be reached is told, not taken for a container without a shell', async () => {
  const broken: Files = {
    archiveGet: () => Promise.reject(new EngineError('unavailable', 'gone')),
    archiveStat: () => Promise.reject(new EngineError('unavailable', 'gone')),
  };
  await assert.rejects(chooseShell(broken, 'c', ''), /gone/);
});
