/** What `pinnace lint` and `pinnace format` do with files that are no Dockerfiles, that cannot be read or written, and when they are ended half-way: no hang, no lost text, and an error that names the file. */

import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { after, test } from 'node:test';

const ROOT = join(import.meta.dirname, '..', '..');
const PINNACE = [
  process.execPath,
  '--disable-warning=ExperimentalWarning',
  join(ROOT, 'src', 'cli', 'main.ts'),
];
/** Root without the right to pass over the modes of files. */
const MORTAL = ['setpriv', '--bounding-set', '-dac_override,-dac_read_search', '--'];
const LIMIT = 30_000;

const ROUGH = 'from a:1\nrun apt-get install x\n';
const LINT = ['lint', '--no-config'];
const COMMANDS = [LINT, [...LINT, '--fix'], ['format']];

const folder = mkdtempSync(join(tmpdir(), 'pinnace-hostile-'));
after(() => rmSync(folder, { recursive: true }));

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(words: readonly string[], stdout: 'pipe' | number = 'pipe'): ChildProcess {
  const [program = '', ...args] = words;
  return spawn(program, args, {
    cwd: folder,
    stdio: ['ignore', stdout, 'pipe'],
    timeout: LIMIT,
    killSignal: 'SIGKILL',
  });
}

async function outcomeOf(child: ChildProcess): Promise<Outcome> {
  const ended = once(child, 'close');
  const [stdout, stderr] = await Promise.all(
    [child.stdout, child.stderr].map(async (stream) =>
      stream === null ? '' : await readAll(stream),
    ),
  );
  await ended;
  return { status: child.exitCode, stdout: stdout ?? '', stderr: stderr ?? '' };
}

const run = (...words: readonly string[]): Promise<Outcome> =>
  outcomeOf(start([...PINNACE, ...words]));
const runMortal = (...words: readonly string[]): Promise<Outcome> =>
  outcomeOf(start([...MORTAL, ...PINNACE, ...words]));

function make(name: string, content: string | Uint8Array = ROUGH): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** Files beside which nothing else was left. */
function place(name: string, count = 1): string[] {
  const root = join(folder, name);
  mkdirSync(root);
  return Array.from({ length: count }, (_, at) => make(join(name, `${String(at)}.Dockerfile`)));
}

test('what is no file, too big or no text is refused by its name, and the others are done', async () => {
  const big = make('big.Dockerfile');
  truncateSync(big, 200 * 1024 * 1024);
  make('program.Dockerfile', readFileSync('/bin/true'));
  execFileSync('mkfifo', [join(folder, 'pipe.Dockerfile')]);
  symlinkSync('loop.Dockerfile', join(folder, 'loop.Dockerfile'));
  mkdirSync(join(folder, 'folder.Dockerfile'));
  make('folder.Dockerfile/Dockerfile', 'FROM b:1\nrun x\n');
  const cases: readonly (readonly [string, RegExp])[] = [
    ['big.Dockerfile', /big\.Dockerfile has more than 32 MiB: too big/],
    ['program.Dockerfile', /program\.Dockerfile holds zero bytes: it is no text/],
    ['pipe.Dockerfile', /pipe\.Dockerfile is no file but a pipe or a device; pipe its text/],
    ['/dev/zero', /\/dev\/zero is no file but a pipe or a device/],
    ['loop.Dockerfile', /loop\.Dockerfile cannot be read: ELOOP/],
    ['gone.Dockerfile', /gone\.Dockerfile does not exist/],
  ];
  for (const words of COMMANDS) {
    const names = cases.map(([name]) => name);
    const { status, stdout, stderr } = await run(...words, ...names, 'folder.Dockerfile');
    assert.equal(status, 2, words.join(' '));
    for (const [, message] of cases) assert.match(stderr, message);
    assert.equal(stderr.trim().split('\n').length, cases.length, stderr);
    if (words === LINT) assert.match(stdout, /folder\.Dockerfile\/Dockerfile:2:1/);
  }
  assert.match(readFileSync(join(folder, 'folder.Dockerfile/Dockerfile'), 'utf8'), /^RUN x/m);
});

test('standard input and the pipes of a shell are read, and end where no Dockerfile goes on', async () => {
  const shell = (line: string): Promise<Outcome> =>
    outcomeOf(start(['bash', '-c', line, 'bash', ...PINNACE]));
  const piped = await shell(`"$@" lint --no-config <(printf 'from a:1\\nRUN x\\n')`);
  assert.match(piped.stdout, /\/dev\/fd\/\d+:1:1/);
  for (const words of ['lint -', 'format --stdin', 'lint /dev/fd/0', 'format /dev/fd/0']) {
    const { status, stderr } = await shell(`tr '\\0' a < /dev/zero | "$@" ${words}`);
    assert.equal(status, 2, words);
    assert.match(stderr, /has more than 32 MiB/, words);
  }
});

test('bytes that are no UTF-8 are judged and never rewritten', async () => {
  const bytes = Buffer.from('FROM a:1\nrun echo caf\xe9\n', 'latin1');
  const path = make('latin.Dockerfile', bytes);
  assert.equal((await run(...LINT, path)).status, 1);
  const fixed = await run(...LINT, '--fix', path);
  assert.equal(fixed.status, 2);
  assert.match(fixed.stderr, /latin\.Dockerfile is left as it is: it is not UTF-8/);
  assert.match(fixed.stdout, /ConsistentInstructionCasing/);
  assert.match((await run('format', path)).stderr, /latin\.Dockerfile is not UTF-8 text/);
  assert.deepEqual(readFileSync(path), bytes);
});

test('what may not be read or written is told with the reason, and left as it is', async () => {
  const [secret = '', readOnly = '', closed = '', plain = ''] = place('rights', 4);
  chmodSync(secret, 0o000);
  chmodSync(readOnly, 0o444);
  const unlisted = join(folder, 'rights', 'unlisted');
  mkdirSync(unlisted, { mode: 0o300 });
  for (const words of COMMANDS) {
    const { status, stderr } = await runMortal(...words, 'rights');
    assert.equal(status, 2, words.join(' '));
    assert.match(stderr, /0\.Dockerfile cannot be read: EACCES: permission denied/);
    assert.match(stderr, /rights\/unlisted cannot be read: EACCES/);
    if (words === LINT) continue;
    assert.match(stderr, /1\.Dockerfile is left as it is: EACCES: permission denied/);
  }
  assert.equal(readFileSync(readOnly, 'utf8'), ROUGH);
  assert.notEqual(readFileSync(plain, 'utf8'), ROUGH);
  writeFileSync(closed, ROUGH);
  chmodSync(join(folder, 'rights'), 0o555);
  const { status, stderr } = await runMortal('format', closed);
  assert.equal(status, 2);
  assert.match(stderr, /2\.Dockerfile is left as it is: EACCES/);
  assert.equal(readFileSync(closed, 'utf8'), ROUGH);
});

test('a full disk leaves the old text, and nothing beside it', async () => {
  const root = join(folder, 'full');
  mkdirSync(root);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', root]);
  try {
    const text = ROUGH + '# A comment that takes its place on the disk.\n'.repeat(15_000);
    const path = make('full/Dockerfile', text);
    for (const words of [[...LINT, '--fix'], ['format']]) {
      const { status, stderr } = await run(...words, path);
      assert.equal(status, 2, stderr);
      assert.match(stderr, /Dockerfile is left as it is: ENOSPC: no space left on device/);
      assert.equal(readFileSync(path, 'utf8'), text);
      assert.deepEqual(readdirSync(root), ['Dockerfile']);
    }
  } finally {
    execFileSync('umount', [root]);
  }
});

test('a file keeps its mode and owner, whatever the umask', async () => {
  const [path = ''] = place('modes');
  chmodSync(path, 0o666);
  execFileSync('chown', ['12345:54321', path]);
  await run('format', path);
  const { mode, uid, gid } = statSync(path);
  assert.deepEqual([mode & 0o7777, uid, gid], [0o666, 12345, 54321]);
});

for (const words of [[...LINT, '--fix'], ['format']]) {
  const name = words.at(0) ?? '';
  test(`${name}: files are old or new when it is killed, and when two run at once`, async () => {
    const paths = place(`killed-${name}`, 60);
    const [sample = ''] = place(`sample-${name}`);
    await run(...words, sample);
    const wanted = new Set([ROUGH, readFileSync(sample, 'utf8')]);
    assert.equal(wanted.size, 2);
    const check = (): number =>
      paths.filter((path) => {
        const text = readFileSync(path, 'utf8');
        assert.ok(wanted.has(text), `${path}: ${JSON.stringify(text)}`);
        return text !== ROUGH;
      }).length;
    const both = await Promise.all([1, 2].map(() => run(...words, `killed-${name}`)));
    assert.equal(check(), paths.length);
    for (const { status, stderr } of both) assert.ok(status === 0 || status === 1, stderr);
    let halfWay = 0;
    for (const first of [0, 1, 10, 11, 12]) {
      for (const path of paths) writeFileSync(path, ROUGH);
      const child = start([...PINNACE, ...words, `killed-${name}`]);
      const ended = outcomeOf(child);
      while (child.exitCode === null && readFileSync(paths[first] ?? '', 'utf8') === ROUGH)
        await setImmediate();
      child.kill('SIGKILL');
      await ended;
      const done = check();
      if (done > 0 && done < paths.length) halfWay += 1;
    }
    assert.ok(halfWay > 0, 'none was killed half-way');
    const left = readdirSync(join(folder, `killed-${name}`)).filter((file) => file.startsWith('.'));
    const again = await run('lint', '--format', 'json', `killed-${name}`);
    for (const file of left) assert.ok(!again.stdout.includes(file), file);
  });
}

test('a reader that has seen enough is no failure, a full device is told', async () => {
  const paths = place('many', 200);
  const line = `"$@" lint --no-config ${paths.join(' ')} | head -1; echo "\${PIPESTATUS[0]}"`;
  const { stdout, stderr } = await outcomeOf(start(['bash', '-c', line, 'bash', ...PINNACE]));
  assert.match(stdout, /^many\/0\.Dockerfile:\d+:\d+ .*\n[01]\n$/);
  assert.equal(stderr, '');
  const full = await outcomeOf(start([...PINNACE, ...LINT, 'many'], openSync('/dev/full', 'w')));
  assert.equal(full.status, 1);
  assert.match(full.stderr, /the output cannot be written: ENOSPC/);
});
