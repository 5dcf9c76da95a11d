/** Tests of `pinnace format`: what it writes, where, and its exit status. */
import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, test } from 'node:test';
import { Command, CommanderError } from 'commander';
import type { Context } from '../context.ts';
import { format } from './format.ts';

interface Result {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(args: readonly string[], input = ''): Promise<Result> {
  const streams = {
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    stderr: new PassThrough(),
  };
  streams.stdin.end(input);
  let status = 0;
  const context = {
    ...streams,
    env: {},
    signal: new AbortController().signal,
    engine: () => Promise.reject(new Error('format needs no engine')),
    exit: (wanted: number) => {
      status = wanted;
    },
    ownSignals: () => undefined,
  } as unknown as Context;
  const program = new Command().exitOverride();
  format(program, context);
  for (const command of program.commands) {
    command.exitOverride().configureOutput({ writeErr: (text) => streams.stderr.write(text) });
  }
  try {
    await program.parseAsync(['format', ...args], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) status = 2;
    streams.stderr.write(error instanceof Error ? error.message : '');
  }
  const text = (stream: PassThrough): string => String(stream.read() ?? '');
  return { status, stdout: text(streams.stdout), stderr: text(streams.stderr) };
}

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pinnace-format-'));
});
after(() => rm(folder, { recursive: true }));

async function file(name: string, text: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

const ROUGH = 'from a\nrun  x \\\n && y';
const NEAT = 'FROM a\nRUN x \\\n    && y\n';

test('files are formatted in place and those that changed are named', async () => {
  const rough = await file('rough', ROUGH);
  const neat = await file('neat', NEAT);
  await chmod(rough, 0o640);
  assert.deepEqual(await run([rough, neat]), { status: 0, stdout: `${rough}\n`, stderr: '' });
  assert.equal(await readFile(rough, 'utf8'), NEAT);
  assert.equal((await stat(rough)).mode & 0o777, 0o640);
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.endsWith('.tmp')),
    [],
  );
});

test('a symbolic link stays one', async () => {
  const target = await file('target', ROUGH);
  const link = join(folder, 'link');
  await symlink('target', link);
  await run([link]);
  assert.equal(await readFile(target, 'utf8'), NEAT);
});

test('a check writes nothing, names the files and has status 1', async () => {
  const rough = await file('checked', ROUGH);
  assert.deepEqual(await run(['--check', rough]), { status: 1, stdout: `${rough}\n`, stderr: '' });
  assert.equal(await readFile(rough, 'utf8'), ROUGH);
  const neat = await file('fine', NEAT);
  assert.deepEqual(await run(['--check', neat]), { status: 0, stdout: '', stderr: '' });
});

test('standard input is formatted to standard output', async () => {
  assert.deepEqual(await run(['--stdin'], ROUGH), { status: 0, stdout: NEAT, stderr: '' });
  const checked = await run(['--stdin', '--check', 'my/Dockerfile'], ROUGH);
  assert.deepEqual(checked, { status: 1, stdout: 'my/Dockerfile\n', stderr: '' });
});

test('messages hold no control characters of files and their names', async () => {
  const wrong = await file('wr\x1b\nong', 'FROM a\n\x1bX\n');
  const { stdout, stderr } = await run([wrong, join(folder, 'gone\x07')]);
  assert.equal(stdout, '');
  assert.match(stderr, /^\S*wr\ufffd\ufffdong:2:1: .*\npinnace: .*gone\ufffd does not exist\n$/);
  assert.ok(!/[\x1b\x07]/.test(stderr));
});

test('a file that would not build is left alone, with status 2 and its errors', async () => {
  const wrong = await file('wrong', 'from a\nrunn x\n');
  const rough = await file('other', ROUGH);
  const empty = await mkdtemp(join(folder, 'empty-'));
  const { status, stdout, stderr } = await run([wrong, rough, join(folder, 'missing'), empty]);
  assert.equal(status, 2);
  assert.equal(stdout, `${rough}\n`);
  assert.match(stderr, /wrong:2:1: unknown instruction: runn/);
  assert.match(stderr, /missing does not exist/);
  assert.match(stderr, /no Dockerfile beneath/);
  assert.equal(await readFile(wrong, 'utf8'), 'from a\nrunn x\n');
});

test('bytes that are no UTF-8 are refused, a byte order mark is kept', async () => {
  const bytes = await file('bytes', Buffer.from([0x46, 0xff]));
  assert.match((await run([bytes])).stderr, /not UTF-8/);
  const marked = await file('marked', '\uFEFFfrom a\n');
  await run([marked]);
  assert.equal(await readFile(marked, 'utf8'), '\uFEFFFROM a\n');
});

test('options are read and wrong ones refused', async () => {
  const { stdout } = await run(['--stdin', '--indent', 'tab', '--keyword-case', 'lower'], ROUGH);
  assert.equal(stdout, 'from a\nrun x \\\n\t&& y\n');
  assert.equal((await run(['--stdin', '--indent', '99'], ROUGH)).status, 2);
  assert.equal((await run(['--stdin', '--packages', 'no'], ROUGH)).status, 2);
  assert.equal((await run([])).status, 2);
});

test('a folder is searched, and indents are those of .editorconfig unless the command says', async () => {
  const root = await mkdtemp(join(tmpdir(), 'pinnace-format-tree-'));
  const text = 'FROM a\nRUN x \\\n  && y\n';
  await writeFile(join(root, '.editorconfig'), 'root = true\n[*]\nindent_size = 6\n');
  await writeFile(join(root, 'Dockerfile'), text);
  await writeFile(join(root, 'notes.txt'), text);
  const checked = await run(['--check', root]);
  assert.deepEqual([checked.status, checked.stdout], [1, `${join(root, 'Dockerfile')}\n`]);
  await run([root]);
  assert.match(await readFile(join(root, 'Dockerfile'), 'utf8'), /\n {6}&& y/);
  await run(['--indent', '2', root]);
  assert.match(await readFile(join(root, 'Dockerfile'), 'utf8'), /\n {2}&& y/);
  await rm(root, { recursive: true });
});
