/** Tests of what is known of Dockerfiles that are not open: what is read again and when, on disks that change and trees that are hostile. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { type Diagnostic, FileChangeType } from 'vscode-languageserver/node';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { JudgedFiles, type Limits, onlyDockerfiles } from './judged.ts';
import { isSearched } from './workspace.ts';

const ROOT = mkdtempSync(join(tmpdir(), 'pinnace-judged-'));
after(() => rmSync(ROOT, { recursive: true, force: true }));
const never = (): boolean => false;
const uriOf = (path: string): string => pathToFileURL(path).href;
const at = { line: 0, character: 0 };

/** A judge that finds the text itself, and what it was asked. */
class Court {
  readonly texts: string[] = [];
  readonly files: JudgedFiles;
  /** Called before it answers. */
  meanwhile: () => void = () => undefined;

  readonly told: string[] = [];
  /** Milliseconds that have passed besides. */
  later = 0;

  constructor(folders: readonly string[], isWatched: boolean, limits?: Limits) {
    this.files = new JudgedFiles({
      folders: () => folders.map(uriOf),
      judge: (document) => Promise.resolve(this.judge(document)),
      isWatched: () => isWatched,
      onFull: (message) => this.told.push(message),
      now: () => performance.now() + this.later,
      ...(limits === undefined ? {} : { limits }),
    });
  }

  async all(): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    for (const path of await this.files.paths(never)) {
      const judged = await this.files.of(path);
      if (judged !== undefined) found[path.slice(ROOT.length + 1)] = judged.resultId;
    }
    return found;
  }

  private judge(document: TextDocument): Diagnostic[] {
    this.meanwhile();
    const message = document.getText();
    this.texts.push(message);
    return [{ message, range: { start: at, end: at } }];
  }
}

describe('files that are not open', () => {
  let folder = '';
  let count = 0;
  const put = (path: string, text: string): string => {
    const whole = join(folder, path);
    mkdirSync(join(whole, '..'), { recursive: true });
    writeFileSync(whole, text);
    return whole;
  };
  beforeEach(() => {
    folder = join(ROOT, String(++count));
    mkdirSync(folder);
  });
  const changedFile = (path: string): string => put(path, `FROM ${String(Math.random())}\n`);

  test('are judged once where the client tells of changes, and again when it does', async () => {
    const [a, b] = [put('a/Dockerfile', 'FROM a\n'), put('b/Containerfile', 'FROM b\n')];
    const court = new Court([folder], true);
    const first = await court.all();
    assert.equal(Object.keys(first).length, 2);
    assert.deepEqual(await court.all(), first);
    assert.equal(court.texts.length, 2);
    changedFile('a/Dockerfile');
    assert.deepEqual(await court.all(), first, 'nobody has told');
    court.files.changed([{ uri: uriOf(a), type: FileChangeType.Changed }]);
    const second = await court.all();
    assert.equal(court.texts.length, 3);
    assert.notDeepEqual(second, first);
    rmSync(b);
    put('c/Dockerfile', 'FROM c\n');
    court.files.changed([
      { uri: uriOf(b), type: FileChangeType.Deleted },
      { uri: uriOf(join(folder, 'c/Dockerfile')), type: FileChangeType.Created },
    ]);
    const names = Object.keys(await court.all()).map((path) => path.split('/').at(-2));
    assert.deepEqual(names.sort(), ['a', 'c']);
    assert.equal(court.texts.length, 4);
  });

  test('of a folder that is gone are missed after a while, though nobody tells of them', async () => {
    put('a/Dockerfile', 'FROM a\n');
    put('b/c/Dockerfile', 'FROM b\n');
    const court = new Court([folder], true);
    assert.equal(Object.keys(await court.all()).length, 2);
    rmSync(join(folder, 'b'), { recursive: true });
    court.later = 20_000;
    assert.equal(Object.keys(await court.all()).length, 2);
    court.later = 40_000;
    assert.equal(Object.keys(await court.all()).length, 1);
  });

  test('are named anew only when there is something else to show', async () => {
    const path = put('Dockerfile', 'FROM a\n');
    const court = new Court([folder], true);
    const first = await court.all();
    court.files.changed(undefined);
    assert.deepEqual(await court.all(), first);
    utimesSync(path, 1, 1);
    court.files.changed([{ uri: uriOf(path), type: FileChangeType.Changed }]);
    assert.deepEqual(await court.all(), first);
    assert.equal(court.texts.length, 3);
    court.files.clear();
    assert.notDeepEqual(await court.all(), first);
  });

  test('are looked at again after a while where nobody tells of changes', async () => {
    put('a/Dockerfile', 'FROM a\n');
    put('b/Dockerfile', 'FROM b\n');
    // What was written just now is not believed.
    await delay(50);
    const court = new Court([folder], false);
    const first = await court.all();
    changedFile('a/Dockerfile');
    court.later = 2100;
    const second = await court.all();
    assert.equal(court.texts.length, 3, 'only what has changed is read again');
    assert.equal(Object.values(first).filter((id) => Object.values(second).includes(id)).length, 1);
  });

  test('are read again when they change while they are judged', async () => {
    const path = put('Dockerfile', 'FROM a\n');
    const court = new Court([folder], true);
    court.meanwhile = (): void => {
      court.meanwhile = () => undefined;
      put('Dockerfile', 'FROM b\n');
      court.files.changed([{ uri: uriOf(path), type: FileChangeType.Changed }]);
    };
    await court.all();
    await court.all();
    assert.deepEqual(court.texts, ['FROM a\n', 'FROM b\n']);
  });

  test('are found once in folders within folders, but not in those of packages', async () => {
    put('in/Dockerfile', 'FROM a\n');
    put('node_modules/x/Dockerfile', 'FROM a\n');
    put('.git/Dockerfile', 'FROM a\n');
    put('in/Dockerfile.dockerignore', 'a\n');
    const court = new Court([folder, join(folder, 'in'), `${folder}/`, join(ROOT, 'none')], true);
    assert.equal(Object.keys(await court.all()).length, 1);
    const elsewhere = new JudgedFiles({
      folders: () => ['untitled:x', 'file://elsewhere/x', 'http://x/', ''],
      judge: () => Promise.resolve([]),
      isWatched: () => true,
      onFull: () => undefined,
    });
    assert.equal((await elsewhere.paths(never)).size, 0);
  });

  test('may be anything else by the time they are read', async () => {
    const names = ['gone', 'pipe', 'link', 'folder', 'closed', 'large', 'empty', 'marked'];
    const paths = names.map((name) => put(`${name}/Dockerfile`, 'FROM a\n'));
    const court = new Court([folder], true);
    assert.equal((await court.files.paths(never)).size, names.length);
    const [gone = '', pipe = '', link = '', inner = '', closed = '', large = ''] = paths;
    for (const path of [gone, pipe, link, inner]) rmSync(path);
    execFileSync('mkfifo', [pipe]);
    symlinkSync('/dev/zero', link);
    mkdirSync(inner);
    chmodSync(closed, 0);
    writeFileSync(large, '#'.repeat(1024 * 1024 + 1));
    put('empty/Dockerfile', '');
    put('marked/Dockerfile', '\ufeffFROM a\n');
    const found = Object.keys(await court.all()).map((path) => path.split('/').at(-2));
    // Root reads what is closed to others.
    assert.deepEqual(found.filter((name) => name !== 'closed').sort(), ['empty', 'marked']);
    assert.deepEqual(court.texts.filter((text) => text !== '').slice(-1), ['FROM a\n']);
  });

  test('are read and told within bounds, and it is said once where they are met', async () => {
    const paths = ['a', 'b', 'c', 'd'].map((name) => put(`${name}/Dockerfile`, 'FROM a\n'));
    put('e/Dockerfile', '#'.repeat(11));
    const limits = { files: 5, size: 10, bytes: 21, items: 1, allItems: 2 };
    const court = new Court([folder], true, limits);
    assert.equal(Object.keys(await court.all()).length, 3, 'bytes');
    assert.equal(court.told.length, 1);
    const shown = async (): Promise<number> => {
      let count = 0;
      for (const path of paths) count += (await court.files.of(path))?.items.length ?? 0;
      return count;
    };
    assert.equal(await shown(), 2, 'problems');
    court.files.changed(undefined);
    assert.equal(await shown(), 2, 'also when all are judged again');
    rmSync(paths[0] ?? '');
    court.files.changed([{ uri: uriOf(paths[0] ?? ''), type: FileChangeType.Deleted }]);
    await court.all();
    court.files.changed(undefined);
    await court.all();
    assert.equal(await shown(), 2, 'what goes makes room');
    assert.equal(court.told.length, 1);
    court.files.clear();
    await court.all();
    assert.equal(court.told.length, 2);
  });

  test('are not looked for behind links, however they lead', async () => {
    const path = put('a/b/Dockerfile', 'FROM a\n');
    symlinkSync(folder, join(folder, 'a/b/loop'));
    symlinkSync(path, join(folder, 'Dockerfile'));
    linkSync(path, join(folder, 'a/Dockerfile'));
    assert.equal(Object.keys(await new Court([folder], true).all()).length, 2);
  });

  test('are found in deep, wide and broken trees, as far as the bounds go', async () => {
    put(`${'d/'.repeat(11)}Dockerfile`, 'FROM a\n');
    put(`${'e/'.repeat(14)}Dockerfile`, 'FROM a\n');
    for (let number = 0; number < 3000; number++) put(`wide/Dockerfile.${String(number)}`, '');
    const court = new Court([folder], true);
    assert.equal((await court.files.paths(never)).size, 3001);
    let asked = 0;
    const partly = await new Court([folder], true).files.paths(() => ++asked > 100);
    assert.ok(partly.size <= 100);
    const list = court.files.paths(never);
    renameSync(join(folder, 'wide'), join(folder, 'moved'));
    assert.equal((await list).size, 3001, 'as it is believed to be');
    assert.equal(Object.keys(await court.all()).length, 1);
  });
});

test('a path is searched when the search would come to it', () => {
  const folders = ['file:///w', 'file:///other/', 'untitled:x'];
  for (const path of ['/w/Dockerfile', '/w/a/b/x.Dockerfile', '/other/Containerfile'])
    assert.ok(isSearched(path, folders), path);
  const others = ['/w', '/Dockerfile', '/wx/Dockerfile', '/w/node_modules/a/Dockerfile', '/w/x.md'];
  for (const path of [...others, `/w/${'d/'.repeat(13)}Dockerfile`])
    assert.ok(!isSearched(path, folders), path);
});

test('changes of other files than Dockerfiles may change everything, and so may nonsense', () => {
  const file = { uri: 'file:///a/Dockerfile', type: 2 };
  assert.deepEqual(onlyDockerfiles([file]), [file]);
  assert.deepEqual(onlyDockerfiles([{ ...file, type: 'x' }]), [{ ...file, type: 1 }]);
  const others = ['file:///a/.dockerignore', 'file:///a/Dockerfile.dockerignore', 'x', 7, null];
  for (const uri of others) assert.equal(onlyDockerfiles([file, { uri, type: 2 }]), undefined);
  for (const wrong of [undefined, null, {}, [], [7], [null]])
    assert.equal(onlyDockerfiles(wrong), undefined);
});
