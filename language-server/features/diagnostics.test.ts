/** Tests of the diagnostics: what the editor shows is what the parser found. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DiagnosticSeverity, DiagnosticTag } from 'vscode-languageserver/node';
import { parseDockerfile } from '../../src/lib/dockerfile/parse.ts';
import { diagnosticsOf } from './diagnostics.ts';

test('each problem becomes one diagnostic with its code, place and severity', () => {
  const { problems } = parseDockerfile('FROM a\nMAINTAINER me\nCOPPY a b\n');
  assert.deepEqual(diagnosticsOf(problems), [
    {
      code: 'MaintainerDeprecated',
      message: 'MAINTAINER is deprecated: use LABEL org.opencontainers.image.authors=…',
      range: { start: { line: 1, character: 0 }, end: { line: 1, character: 10 } },
      severity: DiagnosticSeverity.Warning,
      source: 'pinnace',
      tags: [DiagnosticTag.Deprecated],
    },
    {
      code: 'UnknownInstruction',
      message: 'unknown instruction: COPPY; did you mean COPY?',
      range: { start: { line: 2, character: 0 }, end: { line: 2, character: 5 } },
      severity: DiagnosticSeverity.Error,
      source: 'pinnace',
    },
  ]);
});
