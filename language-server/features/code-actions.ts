/** The ways out of problems: a fix for one, for all of its rule, for all of the file; ignoring it on a line or in a file. */
import {
  type CodeAction,
  CodeActionKind,
  type Diagnostic,
  type TextEdit,
  type WorkspaceEdit,
} from 'vscode-languageserver/node';
import {
  compatibleFixes,
  insert,
  insertLine,
  lineBreak,
} from '../../src/lib/dockerfile/lint/edits.ts';
import type { Edit, Fix, LintProblem } from '../../src/lib/dockerfile/lint/rule.ts';
import { instructionAt } from '../../src/lib/dockerfile/lint/analysis/places.ts';
import { ruleOf, rulesNamed } from '../../src/lib/dockerfile/lint/table.ts';
import type { Dockerfile, Instruction, Range } from '../../src/lib/dockerfile/syntax.ts';
import { refactoringsAt } from '../../src/lib/dockerfile/refactor/table.ts';
import { LARGE, scriptsIn } from '../facts.ts';
import { SOURCE } from './diagnostics.ts';
import { rangeAt } from './positions.ts';
import { type Edited, workspaceEditOf } from './workspace-edits.ts';

/** The kind of the action that applies every safe fix, for `editor.codeActionsOnSave`. */
export const FIX_ALL = `${CodeActionKind.SourceFixAll}.${SOURCE}`;

/** More problems than this at one place are not offered one by one. */
const LIMIT = 50;

export interface ActionRequest extends Edited {
  readonly file: Dockerfile;
  /** All problems of the document. */
  readonly problems: readonly LintProblem[];
  /** The client's selection. */
  readonly selection: Range;
  /** The diagnostics that the client shows there. */
  readonly diagnostics: readonly Diagnostic[];
  /** The kinds that the client asks for; undefined: all. */
  readonly only: readonly string[] | undefined;
  /** The digest that an image's name stands for, where it is known. */
  readonly digestOf?: (image: string) => string | undefined;
}

/** The actions at a place, the preferred ones first. */
export function codeActionsAt(request: ActionRequest): CodeAction[] {
  const actions: CodeAction[] = [];
  if (isWanted(request, CodeActionKind.QuickFix)) actions.push(...quickFixes(request));
  const isRefactored = isWanted(request, CodeActionKind.Refactor);
  if (isRefactored) actions.push(...refactorings(request, actions));
  if (isWanted(request, FIX_ALL)) actions.push(...fixAll(request));
  return actions;
}

/**
 * A kind is asked for by itself, by one that it belongs to, or by one that belongs to it. Source actions only come when
 * asked for.
 */
function isWanted({ only }: ActionRequest, kind: string): boolean {
  if (only === undefined) return kind !== FIX_ALL;
  return only.some((wanted) => isWithin(kind, wanted) || isWithin(wanted, kind));
}

function isWithin(kind: string, outer: string): boolean {
  return outer === '' || kind === outer || kind.startsWith(`${outer}.`);
}

/** The same in another form; what a fix does already is not offered twice. */
function refactorings(request: ActionRequest, fixes: readonly CodeAction[]): CodeAction[] {
  const { file, selection, only } = request;
  if (file.text.length > LARGE) return [];
  const found = refactoringsAt({
    file,
    selection,
    scripts: scriptsIn(file),
    digestOf: request.digestOf ?? (() => undefined),
  });
  const known = new Set(fixes.map(({ edit }) => JSON.stringify(edit)));
  return found.flatMap(({ title, kind, edits }) => {
    const whole = `${CodeActionKind.Refactor}.${kind}`;
    if (only?.every((wanted) => !isWithin(whole, wanted)) === true) return [];
    const edit = editOf(request, edits);
    return known.has(JSON.stringify(edit)) ? [] : [{ title, kind: whole, edit }];
  });
}

function quickFixes(request: ActionRequest): CodeAction[] {
  const { problems, selection } = request;
  const here = problems
    .filter(({ range }) => touches(range.start.offset, range.end.offset, selection))
    .slice(0, LIMIT);
  const fixes = here.flatMap((problem) =>
    problem.fix === undefined ? [] : [fixOne(request, problem, problem.fix)],
  );
  const codes = [...new Set(here.map(({ code }) => code))];
  const ofRule = codes.flatMap((code) => fixRule(request, code));
  const ignored = here.filter(
    ({ severity, code }) => severity !== 'error' || !isParsers(request, code),
  );
  const ignores = [...new Map(ignored.map((problem) => [problem.code, problem])).values()].flatMap(
    (problem) => ignoring(request, problem),
  );
  return [...fixes, ...ofRule, ...ignores];
}

/** What the builder refuses cannot be ignored: a comment does not make it build. */
function isParsers({ file }: ActionRequest, code: string): boolean {
  return file.problems.some((problem) => problem.code === code && problem.severity === 'error');
}

function touches(start: number, end: number, selection: Range): boolean {
  return start <= selection.end && end >= selection.start;
}

function fixOne(request: ActionRequest, problem: LintProblem, fix: Fix): CodeAction {
  return {
    title: fix.title,
    kind: CodeActionKind.QuickFix,
    diagnostics: diagnosticsFor(request, problem),
    isPreferred: fix.safety === 'safe',
    edit: editOf(request, fix.edits),
  };
}

/** All of a rule's fixes, where there are several. */
function fixRule(request: ActionRequest, code: string): CodeAction[] {
  const same = request.problems.filter((problem) => problem.code === code);
  const fixes = compatibleFixes(same, ['safe', 'suggestion']);
  if (fixes.length < 2) return [];
  const title = `Fix all ${String(fixes.length)} of ${code} in this file`;
  return [
    {
      title,
      kind: CodeActionKind.QuickFix,
      edit: editOf(
        request,
        fixes.flatMap(({ edits }) => edits),
      ),
    },
  ];
}

function fixAll(request: ActionRequest): CodeAction[] {
  const fixes = compatibleFixes(request.problems, ['safe']);
  if (fixes.length === 0) return [];
  const edit = editOf(
    request,
    fixes.flatMap(({ edits }) => edits),
  );
  return [{ title: 'Fix all safe problems', kind: FIX_ALL, edit }];
}

function ignoring(request: ActionRequest, problem: LintProblem): CodeAction[] {
  const { file } = request;
  const { code } = problem;
  const diagnostics = diagnosticsFor(request, problem);
  const actions: CodeAction[] = [];
  const instruction = outerInstruction(file, problem.range.start.offset);
  if (instruction !== undefined) {
    const edit = editOf(request, [ignoreEdit(file, instruction, code)]);
    actions.push({
      title: `Ignore ${code} on this line`,
      kind: CodeActionKind.QuickFix,
      diagnostics,
      edit,
    });
  }
  const edit = editOf(request, [ignoreInFile(file, code)]);
  actions.push({
    title: `Ignore ${code} in this file`,
    kind: CodeActionKind.QuickFix,
    diagnostics,
    edit,
  });
  return actions;
}

/** A comment cannot stand between ONBUILD and what it defers. */
function outerInstruction(file: Dockerfile, offset: number): Instruction | undefined {
  const found = instructionAt(file, offset);
  if (found === undefined || file.instructions.includes(found)) return found;
  return file.instructions.find((each) => each.kind === 'ONBUILD' && each.instruction === found);
}

const IGNORE = /^#\s*hadolint\s+ignore\s*=\s*[\w,\s-]*\w/;
const GLOBAL_IGNORE = /^#\s*hadolint\s+global\s+ignore\s*=\s*[\w,\s-]*\w/;

/** The number that hadolint knows a rule by, where it stands for no other rule; so that the comment tells both. */
function nameOf(code: string): string {
  const number = ruleOf(code)?.aliases.find(
    (alias) => /^(?:DL|SC)\d{4}$/.test(alias) && rulesNamed(alias).length === 1,
  );
  return number ?? code;
}

/** Adds to the comment directly above, or makes one. */
function ignoreEdit(file: Dockerfile, instruction: Instruction, code: string): Edit {
  const line = file.lines.position(instruction.range.start).line;
  const above = file.comments.findLast(({ range }) => range.end <= instruction.range.start);
  const list = above === undefined ? null : IGNORE.exec(above.text);
  if (
    above !== undefined &&
    list !== null &&
    file.lines.position(above.range.start).line === line - 1
  ) {
    return insert(above.range.start + list[0].length, `,${nameOf(code)}`);
  }
  return insertLine(file, instruction, `# hadolint ignore=${nameOf(code)}`);
}

/** Adds to the file's comment, or makes one behind the parser directives. */
function ignoreInFile(file: Dockerfile, code: string): Edit {
  for (const { text, range } of file.comments) {
    const list = GLOBAL_IGNORE.exec(text);
    if (list !== null) return insert(range.start + list[0].length, `,${nameOf(code)}`);
  }
  const { syntax, escape, check } = file.directives;
  const last = Math.max(
    -1,
    ...[syntax, escape, check].map((directive) => directive?.range.end ?? -1),
  );
  const line = `# hadolint global ignore=${nameOf(code)}${lineBreak(file)}`;
  if (last < 0) return insert(file.text.charCodeAt(0) === 0xfeff ? 1 : 0, line);
  const newline = file.text.indexOf('\n', last);
  return newline < 0 ? insert(file.text.length, `\n${line}`) : insert(newline + 1, line);
}

/** The client's own diagnostics of a problem, so that it can tell what an action is for. */
function diagnosticsFor(
  { diagnostics }: ActionRequest,
  { code, message }: LintProblem,
): Diagnostic[] {
  return diagnostics.filter((each) => each.code === code && each.message === message);
}

function editOf(request: ActionRequest, edits: readonly Edit[]): WorkspaceEdit {
  const { lines } = request.file;
  const changes: TextEdit[] = edits.map(({ range, text }) => ({
    range: rangeAt(lines, range),
    newText: text,
  }));
  return workspaceEditOf(request, changes);
}
