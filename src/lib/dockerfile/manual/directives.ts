/** The manual of the parser directives (`# name=value` at the top of the file). Data only. */
import type { Value } from './flags.ts';
import { type Entry, example, reference } from './entry.ts';

export interface DirectiveEntry extends Entry {
  readonly values: readonly Value[];
}

export const DIRECTIVES: Readonly<Record<'syntax' | 'escape' | 'check', DirectiveEntry>> = {
  syntax: {
    summary: 'the frontend image that reads this file',
    text: example('# syntax=docker/dockerfile:1'),
    link: reference('syntax'),
    values: [
      { value: 'docker/dockerfile:1', summary: 'the newest frontend of version 1' },
      { value: 'docker/dockerfile:1-labs', summary: 'the same with features on trial' },
    ],
  },
  escape: {
    summary: 'the character that escapes and that continues a line',
    text: 'A backslash unless it says a backtick, which suits Windows paths.',
    link: reference('escape'),
    values: [
      { value: '\\', summary: 'the backslash (default)' },
      { value: '`', summary: 'the backtick, for Windows paths' },
    ],
  },
  check: {
    summary: 'which build checks are left out, and whether findings fail the build',
    text: example('# check=skip=StageNameCasing,FromAsCasing;error=true'),
    link: reference('check'),
    values: [
      { value: 'skip=all', summary: 'no check' },
      { value: 'skip=', summary: 'without the checks named, with commas between' },
      { value: 'error=true', summary: 'findings fail the build' },
    ],
  },
};

/** The names of BuildKit's checks, for `# check=skip=`. */
export const BUILD_CHECKS: readonly string[] = [
  'all',
  'ConsistentInstructionCasing',
  'CopyIgnoredFile',
  'DuplicateStageName',
  'ExposeInvalidFormat',
  'ExposeProtoCasing',
  'FromAsCasing',
  'FromPlatformFlagConstDisallowed',
  'InvalidBaseImagePlatform',
  'InvalidDefaultArgInFrom',
  'InvalidDefinitionDescription',
  'JSONArgsRecommended',
  'LegacyKeyValueFormat',
  'MaintainerDeprecated',
  'MultipleInstructionsDisallowed',
  'NoEmptyContinuation',
  'RedundantTargetPlatform',
  'ReservedStageName',
  'SecretsUsedInArgOrEnv',
  'StageNameCasing',
  'UndefinedArgInFrom',
  'UndefinedVar',
  'WorkdirRelativePath',
];
