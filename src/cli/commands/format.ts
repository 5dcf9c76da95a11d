/** `format`: Dockerfiles formatted in place, checked, or from standard input to standard output. It needs no engine. */

import { setImmediate as immediate } from 'node:timers/promises';
import { InvalidArgumentError, Option } from 'commander';
import { editorConfigIndent } from '../../client/format/indent.ts';
import { findDockerfiles, readDockerfile, readStream } from '../../client/lint/files.ts';
import { replaceFile } from '../../client/lint/replace.ts';
import { EngineError, messageOf } from '../../lib/errors.ts';
import {
  applyEdits,
  FORMAT_DEFAULTS,
  formatDockerfile,
  type FormatOptions,
} from '../../lib/dockerfile/format/format.ts';
import { parseDockerfile } from '../../lib/dockerfile/parse.ts';
import type { Context, Register } from '../context.ts';
import { printable } from '../output/printable.ts';

interface FormatFlags {
  check?: boolean;
  stdin?: boolean;
  indent?: FormatOptions['indent'];
  keywordCase: FormatOptions['keywordCase'];
  packages: FormatOptions['packages'];
  continuations: FormatOptions['continuations'];
  flags: FormatOptions['flags'];
  emptyLines: number;
  stages: FormatOptions['stages'];
}

/** As prettier's: 1 where a check found something to format, 2 where a file could not be formatted. */
const UNFORMATTED_STATUS = 1;
const FAILED_STATUS = 2;

export const format: Register = (program, context) => {
  program
    .command('format')
    .description('format Dockerfiles in place')
    .argument(
      '[file...]',
      'Dockerfiles, and folders that are searched for them; with --stdin the name for messages',
    )
    .option('--check', 'write nothing; status 1 and the names of the files that are not formatted')
    .option('--stdin', 'read standard input, write standard output')
    .option(
      '--indent <n|tab>',
      `spaces of one level, or tab (default: of .editorconfig, else ${FORMAT_DEFAULTS.indent})`,
      readIndent,
    )
    .addOption(
      choice('--keyword-case <case>', 'keywords', 'keywordCase', ['upper', 'lower', 'keep']),
    )
    .addOption(
      choice('--packages <how>', 'package lists on several lines', 'packages', [
        'one-a-line',
        'keep',
      ]),
    )
    .addOption(
      choice('--continuations <how>', 'continuation characters', 'continuations', [
        'space',
        'column',
      ]),
    )
    .addOption(choice('--flags <how>', 'flags of instructions', 'flags', ['ordered', 'keep']))
    .option('--empty-lines <n>', 'the most in a row', readCount, FORMAT_DEFAULTS.emptyLines)
    .addOption(choice('--stages <how>', 'an empty line before FROM', 'stages', ['apart', 'keep']))
    .addHelpText(
      'after',
      '\nExit status: 0 formatted, 1 --check found files that are not, 2 wrong usage, or a file that has errors or cannot be read or written.',
    )
    .action(async (files: string[], flags: FormatFlags) => {
      try {
        if (flags.stdin === true) await formatInput(files, flags, context);
        else await formatFiles(files, flags, context);
      } catch (error) {
        context.exit(FAILED_STATUS);
        throw error;
      }
    });
};

function choice<K extends keyof FormatOptions>(
  flags: string,
  description: string,
  key: K,
  choices: readonly (FormatOptions[K] & string)[],
): Option {
  return new Option(flags, description).choices([...choices]).default(FORMAT_DEFAULTS[key]);
}

const WIDEST_INDENT = 16;

function readIndent(value: string): FormatOptions['indent'] {
  if (value === 'tab') return 'tab';
  const count = readCount(value);
  if (count > WIDEST_INDENT) throw new InvalidArgumentError(`at most ${WIDEST_INDENT}`);
  return count;
}

function readCount(value: string): number {
  if (!/^\d{1,3}$/.test(value)) throw new InvalidArgumentError('a whole number from 0');
  return Number(value);
}

async function formatInput(
  files: readonly string[],
  flags: FormatFlags,
  context: Context,
): Promise<void> {
  if (files.length > 1) {
    throw new EngineError('invalid', '--stdin takes one name at most, which is used in messages');
  }
  const name = files[0] ?? '<stdin>';
  const before = decode(await readStream(context.stdin, name), name);
  const after = formatText(before, name, flags, context);
  if (after === undefined) context.exit(FAILED_STATUS);
  else if (flags.check !== true) context.stdout.write(after);
  else if (after !== before) reportUnformatted(name, context);
}

async function formatFiles(
  files: readonly string[],
  flags: FormatFlags,
  context: Context,
): Promise<void> {
  if (files.length === 0) {
    throw new EngineError('invalid', 'name at least one Dockerfile, or give --stdin');
  }
  let failed = false;
  // One file that cannot be read or written does not keep the others from being formatted.
  const attempt = <T>(work: () => T): T | undefined => {
    try {
      return work();
    } catch (error) {
      context.stderr.write(`pinnace: ${printable(messageOf(error))}\n`);
      failed = true;
      return undefined;
    }
  };
  for (const path of files) {
    const { paths, failures } = findDockerfiles([path]);
    const none = paths.length > 0 ? [] : [`there is no Dockerfile beneath ${path}`];
    const told = failures.length > 0 ? failures : none;
    for (const failure of told) context.stderr.write(`pinnace: ${printable(failure)}\n`);
    failed ||= told.length > 0;
    for (const file of paths) {
      // Between two files an interrupt is heard.
      await immediate();
      context.signal.throwIfAborted();
      const isDone = attempt(() => formatFile(file, flags, context)) === true;
      failed ||= !isDone;
    }
  }
  if (failed) context.exit(FAILED_STATUS);
}

/** False where the file has errors. */
function formatFile(file: string, flags: FormatFlags, context: Context): boolean {
  const before = decode(readDockerfile(file), file);
  const after = formatText(before, file, flags, context);
  if (after === undefined) return false;
  if (after === before) return true;
  if (flags.check === true) {
    reportUnformatted(file, context);
    return true;
  }
  replaceFile(file, before, after);
  context.stdout.write(`${shown(file, context)}\n`);
  return true;
}

function reportUnformatted(name: string, context: Context): void {
  context.stdout.write(`${shown(name, context)}\n`);
  context.exit(UNFORMATTED_STATUS);
}

/** For programs as it is, for people without what would steer their terminal. */
function shown(name: string, { stdout }: Context): string {
  return stdout.isTTY ? printable(name) : name;
}

/** The text of a file, its byte order mark kept. */
function decode(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new EngineError('invalid', `${name} is not UTF-8 text`, { cause });
  }
}

/** The formatted text; undefined, and the errors written out, where the file would not build. */
function formatText(
  text: string,
  name: string,
  flags: FormatFlags,
  context: Context,
): string | undefined {
  const file = parseDockerfile(text);
  const errors = file.problems.filter(({ severity }) => severity === 'error');
  for (const { range, message } of errors) {
    const { line, character } = range.start;
    context.stderr.write(`${printable(`${name}:${line + 1}:${character + 1}: ${message}`)}\n`);
  }
  return errors.length > 0
    ? undefined
    : applyEdits(text, formatDockerfile(file, optionsOf(flags, name)));
}

function optionsOf(flags: FormatFlags, name: string): FormatOptions {
  const indent = flags.indent ?? editorConfigIndent(name) ?? FORMAT_DEFAULTS.indent;
  const { keywordCase, packages, continuations, emptyLines, stages } = flags;
  return {
    ...FORMAT_DEFAULTS,
    ...{ indent, keywordCase, packages, continuations, flags: flags.flags, emptyLines, stages },
  };
}
