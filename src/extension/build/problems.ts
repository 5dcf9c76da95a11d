/** Shows a failed build as a diagnostic on its line, until the next build or until that line is edited. */
import * as vscode from 'vscode';
import { basename } from 'node:path';
import type { BuildFinding } from './failure.ts';
import { findingOf, isTouched } from './failure.ts';
import type { RunningBuild } from './run.ts';

export interface BuildProblems {
  dispose(): void;
  /** Takes what an earlier build of the Dockerfile left away. */
  clear(dockerfile: string): void;
  show(build: RunningBuild): void;
}

export function createBuildProblems(): BuildProblems {
  const collection = vscode.languages.createDiagnosticCollection('pinnace-build');
  const findings = new Map<string, BuildFinding>();
  const clear = (dockerfile: string): void => {
    const uri = vscode.Uri.file(dockerfile);
    findings.delete(uri.toString());
    collection.delete(uri);
  };
  const edited = vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
    const finding = findings.get(document.uri.toString());
    if (finding === undefined) return;
    // Where the diagnostic is now: the editor does not move it, so lines added above void it too when they reach it.
    const [shown] = collection.get(document.uri) ?? [];
    const { start, end } = shown?.range ?? new vscode.Range(0, 0, 0, 0);
    let place = { startLine: start.line, endLine: end.line };
    for (const { range, text } of contentChanges) {
      const change = { startLine: range.start.line, endLine: range.end.line };
      // A line break typed at the end of the line above only pushes the step down.
      if (isTouched(place, change)) {
        clear(document.uri.fsPath);
        return;
      }
      const added = text.split('\n').length - 1 - (change.endLine - change.startLine);
      if (change.endLine < place.startLine)
        place = { startLine: place.startLine + added, endLine: place.endLine + added };
    }
    if (place.startLine !== start.line) {
      findings.set(document.uri.toString(), { ...finding, ...place });
      collection.set(document.uri, [
        diagnosticOf(document.uri, { ...finding, ...place }, document),
      ]);
    }
  });
  return {
    clear,
    show: (build) => {
      const { record } = build;
      clear(record.dockerfile);
      const finding = findingOf(record, (step) => build.logOf(step));
      if (finding === undefined) return;
      const uri = vscode.Uri.file(finding.dockerfile);
      findings.set(uri.toString(), finding);
      const open = vscode.workspace.textDocuments.find(
        (document) => document.uri.toString() === uri.toString(),
      );
      collection.set(uri, [diagnosticOf(uri, finding, open)]);
    },
    dispose: () => {
      edited.dispose();
      collection.dispose();
    },
  };
}

function diagnosticOf(
  uri: vscode.Uri,
  { startLine, endLine, message, step }: BuildFinding,
  document: vscode.TextDocument | undefined,
): vscode.Diagnostic {
  const last = document === undefined ? undefined : Math.min(endLine, document.lineCount - 1);
  const width = last === undefined ? 1000 : (document?.lineAt(last).text.length ?? 1000);
  const range = new vscode.Range(startLine, 0, last ?? endLine, width);
  const diagnostic = new vscode.Diagnostic(range, message, vscode.DiagnosticSeverity.Error);
  diagnostic.source = 'pinnace build';
  if (step !== undefined) {
    const stage = step.stageName === null ? '' : vscode.l10n.t(' of stage {0}', step.stageName);
    const text = vscode.l10n.t(
      'Step {0}{1} of the build of {2}',
      step.number,
      stage,
      basename(uri.fsPath),
    );
    const place = new vscode.Location(uri, new vscode.Position(startLine, 0));
    diagnostic.relatedInformation = [new vscode.DiagnosticRelatedInformation(place, text)];
  }
  return diagnostic;
}
