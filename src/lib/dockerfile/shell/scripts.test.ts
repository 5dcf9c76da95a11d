/** Tests of finding a Dockerfile's shell texts: which shell, which text, and ranges that count in the file. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDockerfile } from '../parse.ts';
import { scriptsOf } from './scripts.ts';
import { shellFrom } from './shells.ts';
import { commandsOf } from './walk.ts';

interface Row {
  readonly dialect: string;
  readonly form: string;
  /** Commands as the file has them at their ranges; undefined where the language is not read. */
  readonly commands: readonly string[] | undefined;
}

function rows(text: string): Row[] {
  return scriptsOf(parseDockerfile(text)).map(({ shell, form, script }) => ({
    dialect: shell.dialect,
    form,
    commands:
      script &&
      commandsOf(script).map(({ command: { range } }) => text.slice(range.start, range.end)),
  }));
}

test('shell forms are read, exec forms are left alone', () => {
  const text =
    'FROM a\nRUN x && y\nRUN ["x"]\nCMD ["x"]\nCMD a b\nENTRYPOINT exec $x\nHEALTHCHECK CMD curl -f x || exit 1\nHEALTHCHECK NONE\nONBUILD RUN z\n';
  assert.deepEqual(
    rows(text).map(({ commands }) => commands),
    [['x', 'y'], ['a b'], ['exec $x'], ['curl -f x', 'exit 1'], ['z']],
  );
});

test('ranges count in the file, through continuations, comments and empty lines', () => {
  const text = 'FROM a\nRUN apt-get \\\n  # why\n\n  install "a$(b \\\n c)" && \\\n  d\n';
  assert.deepEqual(rows(text)[0]?.commands, [
    'apt-get \\\n  # why\n\n  install "a$(b \\\n c)"',
    'b \\\n c',
    'd',
  ]);
});

test('SHELL holds for the rest of its stage and for the stages built on it', () => {
  const text =
    'FROM a AS x\nRUN 1\nSHELL ["/bin/bash", "-eo", "pipefail", "-c"]\nRUN 2\nFROM b\nRUN 3\nFROM x\nRUN 4\nSHELL ["pwsh", "-c"]\nRUN 5\nSHELL ["python3"]\nRUN 6\nFROM mcr.microsoft.com/windows/servercore:1\nRUN 7\n';
  assert.deepEqual(
    rows(text).map(({ dialect }) => dialect),
    ['sh', 'bash', 'sh', 'bash', 'powershell', 'other', 'cmd'],
  );
  assert.deepEqual(
    rows(text).map(({ commands }) => commands?.length),
    [1, 1, 1, 1, undefined, undefined, undefined],
  );
});

test('a heredoc that is the whole command is a script, and its first line says in what', () => {
  const text =
    'FROM a\nRUN <<EOF\nx\ny z\nEOF\nRUN <<-"E" \n\ta\n\tb\nE\nRUN <<EOF\n#!/usr/bin/env bash\nx\nEOF\nRUN <<EOF\n#!/usr/bin/python3\nx\nEOF\n';
  assert.deepEqual(rows(text), [
    { dialect: 'sh', form: 'heredoc', commands: ['x', 'y z'] },
    { dialect: 'sh', form: 'heredoc', commands: ['a', 'b'] },
    { dialect: 'bash', form: 'heredoc', commands: ['x'] },
    { dialect: 'other', form: 'heredoc', commands: undefined },
  ]);
});

test('a heredoc of a command belongs to that command', () => {
  const text = 'FROM a\nRUN cat <<EOF > /x && sort <<B\n$(date)\nEOF\nb\nB\nRUN y\n';
  const script = scriptsOf(parseDockerfile(text))[0]?.script ?? assert.fail();
  assert.deepEqual(rows(text)[0]?.commands, ['cat <<EOF > /x', 'date', 'sort <<B']);
  assert.deepEqual(script.problems, []);
  const bodies = commandsOf(script)
    .flatMap(({ command }) => command.redirects)
    .flatMap(({ heredoc }) => heredoc ?? [])
    .map(({ bodyRange: { start, end } }) => text.slice(start, end));
  assert.deepEqual(bodies, ['$(date)\n', 'b\n']);
});

test('Windows line ends do not end up in words', () => {
  const text = 'FROM a\r\nRUN x \\\r\n  y && z\r\nRUN <<EOF\r\na b\r\nc\r\nEOF\r\n';
  assert.deepEqual(
    rows(text).map(({ commands }) => commands),
    [
      ['x \\\r\n  y', 'z'],
      ['a b', 'c'],
    ],
  );
});

test('options of the shell are known', () => {
  const options = (...words: string[]): string => {
    const { errexit, pipefail, nounset } = shellFrom(words);
    return [errexit && 'e', pipefail && 'p', nounset && 'u'].filter(Boolean).join('');
  };
  assert.equal(options('/bin/bash', '-o', 'pipefail', '-c'), 'p');
  assert.equal(options('/bin/bash', '-euo', 'pipefail', '-c'), 'epu');
  assert.equal(options('bash', '-o', 'errexit', '-c'), 'e');
  assert.equal(options('/bin/sh', '-c'), '');
  assert.equal(shellFrom(['/usr/bin/env', '-S', 'bash', '-e']).dialect, 'bash');
});

test('a command knows where it stands', () => {
  const text = 'FROM a\nRUN if a; then b | c; fi; d || (e; f $(g)) & h; ! i';
  const [use] = scriptsOf(parseDockerfile(text));
  const seen = commandsOf(use?.script ?? assert.fail()).map((place) =>
    [
      place.name,
      place.previous ?? '-',
      place.next ?? '-',
      place.inCondition && 'condition',
      place.inPipeline && 'pipeline',
      place.inSubshell && 'subshell',
      place.inSubstitution && 'substitution',
      place.conditional && 'conditional',
      place.background && 'background',
    ]
      .filter(Boolean)
      .join(' '),
  );
  assert.deepEqual(seen, [
    'a - ; condition',
    'b - | pipeline conditional',
    'c | ; pipeline conditional',
    'd ; || condition background',
    'e - ; subshell conditional background',
    'f ; - subshell conditional background',
    'g - - substitution conditional',
    'h & ;',
    'i ; - condition',
  ]);
});
