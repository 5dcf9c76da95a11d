/** The rules about comments and directives that steer the linter; suppress.ts finds what they report. */
import type { Rule } from '../../rule.ts';

/** IgnorePragma: rules are ignored in the configuration, not in the file. */
export const ignorePragma: Rule = {
  id: 'IgnorePragma',
  aliases: ['DL1001'],
  severity: 'information',
  optional: true,
  summary: 'No comment ignores rules',
  fixable: true,
  checks: {},
};

/** UnknownRule: the rules that a comment ignores exist. */
export const unknownRule: Rule = {
  id: 'UnknownRule',
  aliases: [],
  severity: 'information',
  summary: 'A rule that is ignored exists',
  fixable: true,
  checks: {},
};

/** InvalidCheckDirective: the check directive has options that exist. */
export const invalidCheckDirective: Rule = {
  id: 'InvalidCheckDirective',
  aliases: [],
  severity: 'warning',
  summary: 'The check directive has options that exist',
  fixable: false,
  checks: {},
};
