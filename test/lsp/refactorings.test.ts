/** Refactorings do not change what runs: scripts at random, run by a real shell as the builder would, before and after. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { applyEdits } from '../../src/lib/dockerfile/lint/edits.ts';
import { parseDockerfile } from '../../src/lib/dockerfile/parse.ts';
import { refactoringsAt } from '../../src/lib/dockerfile/refactor/table.ts';
import { scriptsOf } from '../../src/lib/dockerfile/shell/scripts.ts';

const COUNT = 250;

/** A small generator (Lehmer's), so that a failure can be had again. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 0x7fff_ffff;
    return state % below;
  };
}

const COMMANDS = [
  'true',
  'false',
  'echo 1',
  'echo 2',
  "echo 'a  b'",
  'cd /tmp',
  'pwd',
  'A=1',
  'echo "$A"',
  'export A=2',
  'exit 0',
  'exit 3',
  'set -e',
  'set +e',
  '(exit 4)',
  'test -n "$A"',
  '/bin/echo 5 6',
  'echo \\\n  7 \\\n  8',
  'if true; then false; echo 9; fi',
  '{ false; echo 10; }',
  'for A in 1 2; do echo "$A"; done',
  'while false; do :; done',
  'echo x | cat',
  'echo y | grep -q z',
  '! true',
  '! false',
  ': "${A:=3}"',
  'eval "A=4; false; true"',
  'f() { false; echo 11; }; f',
  'trap "echo 12" EXIT',
  'exec echo 13',
  'umask 077; umask',
];

function line(pick: (below: number) => number): string {
  const count = 1 + pick(3);
  let text = '';
  for (let at = 0; at < count; at++) {
    const joint =
      at === 0 ? '' : ([' && ', ' && ', ' \\\n    && ', ' && ', ' || ', '; '][pick(6)] ?? '');
    text += joint + (COMMANDS[pick(COMMANDS.length)] ?? '');
  }
  return text;
}

/** What the RUN instructions of a file print, and whether the build gets to its end. */
function build(text: string): { readonly output: string; readonly ok: boolean } {
  const file = parseDockerfile(text);
  const uses = new Map(scriptsOf(file).map((use) => [use.instruction, use]));
  let output = '';
  for (const instruction of file.instructions) {
    if (instruction.kind !== 'RUN') continue;
    const { command } = instruction;
    const source = uses.get(instruction)?.source.text ?? '';
    const exec = command.form === 'exec' ? command.words.map((word) => word.text) : [];
    const [program = '', ...args] = command.form === 'exec' ? exec : ['/bin/sh', '-c', source];
    const { status, stdout } = spawnSync(program, args, {
      cwd: '/',
      encoding: 'utf8',
      timeout: 10_000,
    });
    output += stdout;
    if (status !== 0) return { output, ok: false };
  }
  return { output, ok: true };
}

test('a build prints the same and ends the same after every refactoring of its commands', () => {
  const pick = random(20_261_121);
  const seen = new Map<string, number>();
  for (let number = 0; number < COUNT; number++) {
    const count = 1 + pick(3);
    let text = 'FROM a\n';
    for (let at = 0; at < count; at++) {
      const body = line(pick);
      const isHeredoc = pick(4) === 0 && !body.includes('\\\n');
      text += isHeredoc ? `RUN <<EOF\n${body.replaceAll('; ', '\n')}\nEOF\n` : `RUN ${body}\n`;
    }
    const file = parseDockerfile(text);
    const run = file.instructions[1];
    assert.ok(run !== undefined);
    const offset = run.argument.range.start + pick(run.argument.text.length);
    const found = refactoringsAt({
      file,
      selection: { start: offset, end: offset },
      scripts: scriptsOf(file),
      digestOf: () => undefined,
    });
    if (found.length === 0) continue;
    const before = build(text);
    for (const { title, edits } of found) {
      const name = title.replaceAll(/\d+/g, 'N');
      seen.set(name, (seen.get(name) ?? 0) + 1);
      const after = applyEdits(text, edits);
      assert.deepEqual(build(after), before, `${title}:\n${text}\nbecame\n${after}`);
    }
  }
  for (const name of [
    'Merge N RUN instructions',
    'Split this RUN into N',
    'Change to a heredoc',
    'Change to a command line',
  ])
    assert.ok(
      (seen.get(name) ?? 0) > 0,
      `${name} was never offered: ${[...seen.keys()].join(', ')}`,
    );
});
