/** Tests of the diagnostics: what the editor shows is what the linter found. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DiagnosticSeverity, DiagnosticTag } from 'vscode-languageserver/node';
import { lintDockerfile } from '../../src/lib/dockerfile/lint/lint.ts';
import { parseDockerfile } from '../../src/lib/dockerfile/parse.ts';
import { diagnosticsOf, findPages } from './diagnostics.ts';

const problemsOf = (text: string) => lintDockerfile(parseDockerfile(text)).problems;

test('each problem becomes one diagnostic with its code, page, place and severity', () => {
  const pages = new URL('file:///docs/rules/');
  assert.deepEqual(diagnosticsOf(problemsOf('FROM a:1\nMAINTAINER me\nCOPPY a b\n'), pages), [
    {
      code: 'MaintainerDeprecated',
      codeDescription: { href: 'file:///docs/rules/maintainer-deprecated.md' },
      message: 'MAINTAINER is deprecated: use LABEL org.opencontainers.image.authors=…',
      range: { start: { line: 1, character: 0 }, end: { line: 1, character: 10 } },
      severity: DiagnosticSeverity.Warning,
      source: 'pinnace',
      tags: [DiagnosticTag.Deprecated],
    },
    {
      code: 'UnknownInstruction',
      codeDescription: { href: 'file:///docs/rules/unknown-instruction.md' },
      message: 'unknown instruction: COPPY; did you mean COPY?',
      range: { start: { line: 2, character: 0 }, end: { line: 2, character: 5 } },
      severity: DiagnosticSeverity.Error,
      source: 'pinnace',
    },
  ]);
});

test('without the pages there is no link', () => {
  const [diagnostic] = diagnosticsOf(problemsOf('FROM a\n'));
  assert.equal(diagnostic?.code, 'PinImageTag');
  assert.equal(diagnostic.codeDescription, undefined);
});

test('the pages are found beside the program', () => {
  assert.ok(findPages(new URL('../server.ts', import.meta.url))?.href.endsWith('/docs/rules/'));
  assert.equal(findPages(new URL('file:///nowhere/x.js')), undefined);
});
