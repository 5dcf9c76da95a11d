/** Tests of the code actions: a text, the place of the cursor, and the text after an action. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CodeAction, CodeActionKind } from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { lintDockerfile } from '../../src/lib/dockerfile/lint/lint.ts';
import { parseDockerfile } from '../../src/lib/dockerfile/parse.ts';
import { codeActionsAt, FIX_ALL } from './code-actions.ts';
import { diagnosticsOf } from './diagnostics.ts';

const URI = 'file:///Dockerfile';

interface Asked {
  readonly text: string;
  readonly actions: readonly CodeAction[];
}

/** The actions at the mark `|`. */
function at(marked: string, only?: readonly string[]): Asked {
  const offset = marked.indexOf('|');
  const text = marked.replace('|', '');
  const file = parseDockerfile(text);
  const { problems } = lintDockerfile(file);
  const selection = { start: offset, end: offset };
  const diagnostics = diagnosticsOf(problems);
  return {
    text,
    actions: codeActionsAt({
      ...{ uri: URI, version: undefined, file, problems, selection, diagnostics, only },
    }),
  };
}

/** The text after the action of a title. */
function after({ text, actions }: Asked, title: string): string {
  const action = actions.find((each) => each.title === title);
  assert.ok(
    action !== undefined,
    `no '${title}' among: ${actions.map((each) => each.title).join(' · ')}`,
  );
  const document = TextDocument.create(URI, 'dockerfile', 1, text);
  return TextDocument.applyEdits(document, action.edit?.changes?.[URI] ?? []);
}

const CASES: readonly (readonly [string, string, string])[] = [
  ['FROM a:1 |as b\n', 'Change to AS', 'FROM a:1 AS b\n'],
  ['FROM a:1\n|RUNN x\n', 'Change to RUN', 'FROM a:1\nRUN x\n'],
  [
    'FROM debian:1\nRUN apt-get |install x=1\n',
    'Add -y',
    'FROM debian:1\nRUN apt-get install -y x=1\n',
  ],
  ['FROM |a\n', 'Ignore PinImageTag on this line', '# hadolint ignore=DL3006\nFROM a\n'],
  [
    '# hadolint ignore=UseCopy # why\nFROM |a\n',
    'Ignore PinImageTag on this line',
    '# hadolint ignore=UseCopy,DL3006 # why\nFROM a\n',
  ],
  ['FROM |a\n', 'Ignore PinImageTag in this file', '# hadolint global ignore=DL3006\nFROM a\n'],
  [
    '# escape=`\r\nFROM |a\r\n',
    'Ignore PinImageTag in this file',
    '# escape=`\r\n# hadolint global ignore=DL3006\r\nFROM a\r\n',
  ],
  [
    '# hadolint global ignore=UseCopy\nFROM |a\n',
    'Ignore PinImageTag in this file',
    '# hadolint global ignore=UseCopy,DL3006\nFROM a\n',
  ],
  [
    'FROM a:1\nONBUILD RUN |sudo x\n',
    'Ignore NoSudo on this line',
    'FROM a:1\n# hadolint ignore=DL3004\nONBUILD RUN sudo x\n',
  ],
  [
    'FROM a:1\r\n# hadolint ignore=DL3008\r\nRUN |sudo x\r\n',
    'Ignore NoSudo on this line',
    'FROM a:1\r\n# hadolint ignore=DL3008,DL3004\r\nRUN sudo x\r\n',
  ],
  [
    '\ufeffFROM a:1\nRUN |sudo x\n',
    'Ignore NoSudo in this file',
    '\ufeff# hadolint global ignore=DL3004\nFROM a:1\nRUN sudo x\n',
  ],
  [
    'FROM a:1 |as b\n',
    'Ignore FromAsCasing on this line',
    '# hadolint ignore=FromAsCasing\nFROM a:1 as b\n',
  ],
];

for (const [marked, title, expected] of CASES) {
  test(`${title}: ${JSON.stringify(marked)}`, () => {
    assert.equal(after(at(marked), title), expected);
  });
}

test('all findings of a rule are fixed at once', () => {
  const asked = at('FROM a:1\n|ADD x /\nADD y /\n');
  assert.equal(after(asked, 'Fix all 2 of UseCopy in this file'), 'FROM a:1\nCOPY x /\nCOPY y /\n');
});

/** Places where there is a comment or directive already, or where none can stand. */
const IGNORED: readonly string[] = [
  'FROM a:1\nRUN |sudo x\n',
  'FROM a:1\n# hadolint ignore=DL3008 because it is so\nRUN |sudo x\n',
  'FROM a:1\n# hadolint ignore=DL3008\n# text\nRUN |sudo x\n',
  'FROM a:1\n# pinnace ignore=DL3008\nRUN |sudo x\n',
  'FROM a:1\n# shellcheck disable=SC2086\nRUN |sudo x\n',
  'FROM a:1\nRUN a \\\n # hadolint ignore=DL3008\n && |sudo x\n',
  'FROM a:1\nRUN <<EOF\n|sudo x\nEOF\n',
  '  FROM a:1\n  ONBUILD RUN |sudo x',
  '# hadolint global ignore=\nFROM a:1\nRUN |sudo x\n',
  '# syntax=docker/dockerfile:1\r\n# check=error=true\r\nFROM a:1\r\nRUN y \\\r\n && |sudo x\r\n',
];

test('a comment that ignores takes the finding away and nothing else', () => {
  for (const marked of IGNORED) {
    const others = (text: string): string[] =>
      lintDockerfile(parseDockerfile(text))
        .problems.map(({ code }) => code)
        .filter((code) => code !== 'NoSudo');
    for (const title of ['Ignore NoSudo on this line', 'Ignore NoSudo in this file']) {
      const text = after(at(marked), title);
      const { problems } = lintDockerfile(parseDockerfile(text));
      assert.ok(
        problems.every(({ code }) => code !== 'NoSudo'),
        text,
      );
      assert.deepEqual(others(text), others(marked.replace('|', '')), text);
    }
  }
});

test('what the builder refuses cannot be ignored', () => {
  const { actions } = at('FROM a:1\n|COPPY x y\n');
  assert.deepEqual(
    actions.map(({ title }) => title),
    ['Change to COPY'],
  );
});

test('fix-all comes when it is asked for, with the safe fixes only', () => {
  const marked = '|FROM a:1 as B\nCMD x\nADD x /\n';
  assert.ok(at(marked).actions.every(({ kind }) => kind === CodeActionKind.QuickFix));
  const asked = at(marked, [CodeActionKind.SourceFixAll]);
  assert.deepEqual(
    asked.actions.map(({ kind }) => kind),
    [FIX_ALL],
  );
  assert.equal(after(asked, 'Fix all safe problems'), 'FROM a:1 AS b\nCMD x\nCOPY x /\n');
  assert.deepEqual(at(marked, [CodeActionKind.Refactor]).actions, []);
});

test('an action names the diagnostics that it is for, and the safe ones are preferred', () => {
  const [action] = at('FROM a:1 |as b\n').actions;
  assert.deepEqual(
    action?.diagnostics?.map(({ code }) => code),
    ['FromAsCasing'],
  );
  assert.equal(action.isPreferred, true);
});

test('refactorings come with the fixes, or by their kind alone', () => {
  const marked = 'FROM a:1\nRUN x && |y\nRUN z\n';
  const kinds = ({ actions }: Asked): unknown[] => [...new Set(actions.map(({ kind }) => kind))];
  assert.ok(kinds(at(marked)).includes(CodeActionKind.RefactorRewrite));
  assert.deepEqual(kinds(at(marked, [CodeActionKind.RefactorInline])), [
    CodeActionKind.RefactorInline,
  ]);
  const asked = at(marked, [CodeActionKind.Refactor]);
  assert.deepEqual(kinds(asked), [CodeActionKind.RefactorInline, CodeActionKind.RefactorRewrite]);
  const merged = 'FROM a:1\nRUN x && y \\\n    && z\n';
  assert.equal(after(asked, 'Merge 2 RUN instructions'), merged);
});

test('a refactoring that is a fix as well is offered once', () => {
  const asked = at('FROM a:1\nCMD |x y\n');
  const texts = asked.actions.map(({ edit }) => JSON.stringify(edit));
  assert.equal(new Set(texts).size, texts.length);
  assert.ok(texts.some((text) => text.includes('[\\"x\\"')));
});
