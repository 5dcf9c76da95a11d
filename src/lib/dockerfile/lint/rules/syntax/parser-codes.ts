/**
 * The rows of what the parser itself reports and that needs no file of its own: no mechanical way out, or a short one. The
 * parser owns these checks; a row says what they are called elsewhere.
 */
import { expandWord } from '../../../expand.ts';
import type { Dockerfile, Problem, Word } from '../../../syntax.ts';
import { offsetsOf, textOf } from '../../analysis/places.ts';
import { removeWord, suggestedFix } from '../../edits.ts';
import type { Fix, Rule, Scope } from '../../rule.ts';

function row(id: string, summary: string, ...aliases: string[]): Rule {
  return { id, aliases, severity: 'error', summary, fixable: false, checks: {} };
}

export const PARSER_CODES: readonly Rule[] = [
  row(
    'SyntaxError',
    'An instruction is written as the reference has it',
    'DL1000',
    'INVALID_AS',
    'INVALID_SYNTAX',
    'SYNTAX_MISSING_EQUALS',
    'SYNTAX_MISSING_NAMES',
    'UNKNOWN_TYPE',
    'ARGUMENT_REQUIRES_ONE_OR_THREE',
  ),
  {
    ...row(
      'MissingArguments',
      'An instruction has the arguments that it needs',
      'ARGUMENT_MISSING',
      'ARGUMENT_REQUIRES_ONE',
      'ARGUMENT_REQUIRES_AT_LEAST_ONE',
      'ARGUMENT_REQUIRES_TWO',
      'ARGUMENT_REQUIRES_AT_LEAST_TWO',
      'HEALTHCHECK_CMD_ARGUMENT_MISSING',
      'SHELL_REQUIRES_ONE',
    ),
    blocking: true,
    checks: {
      VOLUME: ({ words }, scope) => refuseEmpty(words, scope),
      WORKDIR: ({ value }, scope) => refuseEmpty([value], scope, value),
    },
  },
  row(
    'NoBuildStage',
    'A file begins its stages with FROM; only ARG stands before it',
    'DL3061',
    'NO_SOURCE_IMAGE',
  ),
  row('NoInstructions', 'A file has instructions', 'NO_SOURCE_IMAGE'),
  {
    ...row(
      'OnbuildDisallowed',
      'ONBUILD defers no ONBUILD, FROM or MAINTAINER',
      'DL3043',
      'ONBUILD_CHAINING_DISALLOWED',
      'ONBUILD_TRIGGER_DISALLOWED',
    ),
    fixable: true,
    repair: withoutSecond,
  },
  row('UnsupportedHeredoc', 'A heredoc is a source, not a destination'),
  row('UnknownStage', 'A stage that is named by its number exists'),
  row('CircularDependency', 'No stage needs itself', 'DL3023'),
  row('TooManyInstructions', 'A file has at most 3000 instructions in 500 stages'),
  row('TooManyProblems', 'A file has fewer than a thousand problems'),
  {
    ...row('DuplicateStageName', 'Stage names are unique', 'DL3024', 'DUPLICATE_BUILD_STAGE_NAME'),
    severity: 'warning',
  },
];

/** `ONBUILD ONBUILD RUN …`: one is enough. */
function withoutSecond(problem: Problem, file: Dockerfile): Fix | undefined {
  const range = offsetsOf(problem);
  if (textOf(file, range).toUpperCase() !== 'ONBUILD') return undefined;
  return suggestedFix('Remove one ONBUILD', removeWord(file, range));
}

/** A path that has no character once its quotes are taken off. */
function refuseEmpty(words: readonly Word[], scope: Scope, directory?: Word): void {
  const { file, report } = scope;
  const { escapeCharacter: escape } = file.directives;
  for (const word of words) {
    if (word.text === '' || !/^["'\\`\s]+$/.test(word.text)) continue;
    const { value, problems } = expandWord(word, () => 'x', { escape, lines: file.lines });
    // A directory may be called by a blank, a volume cannot.
    const path = word === directory ? value : value.trim();
    if (path === '' && problems.length === 0)
      report({ message: 'a path is needed here, this word is empty', range: word.range });
  }
}
