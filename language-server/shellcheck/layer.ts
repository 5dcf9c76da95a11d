/**
 * Owns the problems of open documents with ShellCheck's among them. An answer never waits: what ShellCheck said of the
 * last version moves along with the text until typing pauses and the new version is looked at.
 */
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { LintOptions, LintProblem } from '../../src/lib/dockerfile/lint/rule.ts';
import type { Dockerfile } from '../../src/lib/dockerfile/syntax.ts';
import { treeOf } from '../documents.ts';
import { scriptsIn, variablesIn } from '../facts.ts';
import { carryOver } from './carry.ts';
import { ShellChecks } from './checks.ts';
import { inputsOf } from '../../src/client/lint/shellcheck/input.ts';
import { findingsAmong, joinProblems } from '../../src/client/lint/shellcheck/merge.ts';

export interface LayerOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly log: (message: string) => void;
  /** A document's problems are others than were told before. */
  readonly onChanged: (uri: string) => void;
}

export interface Judged {
  readonly document: TextDocument;
  /** The linter's own problems; the same array for as long as they hold. */
  readonly own: readonly LintProblem[];
  readonly rules: LintOptions;
  /** The setting `shellcheck`. */
  readonly setting: string;
}

interface Latest {
  readonly own: readonly LintProblem[];
  readonly file: Dockerfile;
  readonly rules: LintOptions;
  readonly setting: string;
  readonly timer: NodeJS.Timeout;
  added: readonly LintProblem[];
  problems: readonly LintProblem[];
}

/** Milliseconds without another version before ShellCheck is asked. */
const PAUSE = 250;

export class ShellCheckLayer {
  private readonly checks: ShellChecks;
  private readonly onChanged: LayerOptions['onChanged'];
  private readonly latest = new Map<string, Latest>();

  constructor({ env, log, onChanged }: LayerOptions) {
    this.onChanged = onChanged;
    this.checks = new ShellChecks({ env, log, onFound: (uri) => this.settle(uri) });
  }

  /** All problems of a document as far as they are known. */
  problemsOf({ document, own, rules, setting }: Judged): readonly LintProblem[] {
    const { uri } = document;
    if (!this.checks.isOn(setting)) {
      this.forget(uri);
      return own;
    }
    const known = this.latest.get(uri);
    if (known?.own === own) return known.problems;
    clearTimeout(known?.timer);
    const file = treeOf(document);
    const added = known === undefined ? [] : carryOver(known.added, known.file.text, file);
    const problems = joinProblems(own, added);
    const timer = setTimeout(() => this.settle(uri), PAUSE);
    this.latest.set(uri, { own, file, rules, setting, timer, added, problems });
    return problems;
  }

  /** A document was closed. */
  forget(uri: string): void {
    clearTimeout(this.latest.get(uri)?.timer);
    this.latest.delete(uri);
    this.checks.forget(uri);
  }

  /** Ends what is running. */
  dispose(): void {
    for (const uri of [...this.latest.keys()]) this.forget(uri);
  }

  /** Puts what is known of the present version in place of what came from the last one. */
  private settle(uri: string): void {
    const latest = this.latest.get(uri);
    if (latest === undefined || !this.checks.isOn(latest.setting)) return;
    const { file, own, rules } = latest;
    const inputs = inputsOf(scriptsIn(file), variablesIn(file));
    const findings = this.checks.ask(uri, inputs);
    // What is still asked for would only go and come back.
    if (findings.length < inputs.length) return;
    const added = findingsAmong(own, findings, { file, options: rules });
    if (isEqual(added, latest.added)) return;
    latest.added = added;
    latest.problems = joinProblems(own, added);
    this.onChanged(uri);
  }
}

function isEqual(a: readonly LintProblem[], b: readonly LintProblem[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
