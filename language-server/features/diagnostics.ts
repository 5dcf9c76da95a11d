/** Turns the parser's problems into the protocol's diagnostics, one for one. */
import { type Diagnostic, DiagnosticSeverity, DiagnosticTag } from 'vscode-languageserver/node';
import type { Problem, ProblemCode, Severity } from '../../src/lib/dockerfile/syntax.ts';
import { protocolRange } from './positions.ts';

export const SOURCE = 'pinnace';

const SEVERITIES: Readonly<Record<Severity, DiagnosticSeverity>> = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  information: DiagnosticSeverity.Information,
  hint: DiagnosticSeverity.Hint,
};

const TAGS: Readonly<Partial<Record<ProblemCode, DiagnosticTag>>> = {
  MaintainerDeprecated: DiagnosticTag.Deprecated,
  LegacyKeyValueFormat: DiagnosticTag.Deprecated,
  MultipleInstructionsDisallowed: DiagnosticTag.Unnecessary,
};

/** The diagnostics of a document's problems, in their order. */
export function diagnosticsOf(problems: readonly Problem[]): Diagnostic[] {
  return problems.map(({ code, message, range, severity }) => {
    const tag = TAGS[code];
    return {
      code,
      message,
      range: protocolRange(range),
      severity: SEVERITIES[severity],
      source: SOURCE,
      ...(tag === undefined ? {} : { tags: [tag] }),
    };
  });
}
