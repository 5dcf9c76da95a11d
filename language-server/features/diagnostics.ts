/** Turns the linter's problems into the protocol's diagnostics, one for one, each with a link to its rule's page. */
import { existsSync } from 'node:fs';
import { type Diagnostic, DiagnosticSeverity, DiagnosticTag } from 'vscode-languageserver/node';
import type { LintProblem, ProblemTag } from '../../src/lib/dockerfile/lint/rule.ts';
import { pageOf, ruleOf } from '../../src/lib/dockerfile/lint/table.ts';
import type { Severity } from '../../src/lib/dockerfile/syntax.ts';
import { protocolRange } from './positions.ts';

export const SOURCE = 'pinnace';

const SEVERITIES: Readonly<Record<Severity, DiagnosticSeverity>> = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  information: DiagnosticSeverity.Information,
  hint: DiagnosticSeverity.Hint,
};

const TAGS: Readonly<Record<ProblemTag, DiagnosticTag>> = {
  unnecessary: DiagnosticTag.Unnecessary,
  deprecated: DiagnosticTag.Deprecated,
};

/** The folder of the rules' pages beside the program, wherever it is bundled; undefined when it was left out. */
export function findPages(start: URL): URL | undefined {
  for (const place of ['../docs/rules/', '../../docs/rules/']) {
    const folder = new URL(place, start);
    if (folder.protocol === 'file:' && existsSync(folder)) return folder;
  }
  return undefined;
}

/** The links to rules' pages by code, for each folder of pages. */
const linksByFolder = new Map<URL | undefined, Map<string, string | undefined>>();

function linksFrom(pages: URL | undefined): Map<string, string | undefined> {
  const known = linksByFolder.get(pages) ?? new Map<string, string | undefined>();
  linksByFolder.set(pages, known);
  return known;
}

/** The diagnostics of a document's problems, in their order; `pages` is the folder of the rules' pages. */
export function diagnosticsOf(problems: readonly LintProblem[], pages?: URL): Diagnostic[] {
  const links = linksFrom(pages);
  return problems.map((problem) => {
    const { code, message, range, severity, tag } = problem;
    if (!links.has(code)) links.set(code, linkOf(code, pages));
    const href = links.get(code);
    return {
      code,
      message,
      range: protocolRange(range),
      severity: SEVERITIES[severity],
      source: SHELLCHECK.test(code) ? 'shellcheck' : SOURCE,
      ...(href === undefined ? {} : { codeDescription: { href } }),
      ...(tag === undefined ? {} : { tags: [TAGS[tag]] }),
    };
  });
}

/** Numbers of ShellCheck that its own program found. */
const SHELLCHECK = /^SC\d{4}$/;

function linkOf(code: string, pages: URL | undefined): string | undefined {
  if (SHELLCHECK.test(code)) return `https://www.shellcheck.net/wiki/${code}`;
  return pages === undefined || ruleOf(code) === undefined
    ? undefined
    : new URL(pageOf(code), pages).href;
}
