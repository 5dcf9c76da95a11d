/** `lint`: checks Dockerfiles, in files, folders and standard input, and repairs what can be repaired. */

import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type FoundConfiguration, readConfigurationFile } from '../../client/lint/configuration.ts';
import { findDockerfiles, readStream } from '../../client/lint/files.ts';
import { type KnownImages, localImages } from '../../client/lint/images.ts';
import { findShellCheck } from '../../client/lint/shellcheck/program.ts';
import { type Threshold, thresholdOf } from '../../lib/dockerfile/lint/config/hadolint.ts';
import { ALL_NAMES, rulesNamed } from '../../lib/dockerfile/lint/table.ts';
import { suggestion } from '../../lib/dockerfile/problems.ts';
import type { Severity } from '../../lib/dockerfile/syntax.ts';
import { EngineError } from '../../lib/errors.ts';
import type { Context, Register } from '../context.ts';
import {
  FileLinter,
  type LintedFile,
  type LintResult,
  type LintSettings,
} from '../lint/file-linter.ts';
import { FORMATS, formatOf } from '../lint/formats.ts';
import type { Format } from '../lint/report.ts';
import { textFormat } from '../lint/text.ts';
import { lintFiles } from '../lint/threads.ts';
import { printable } from '../output/printable.ts';

interface LintFlags {
  format?: string;
  config?: string | false;
  context?: string | false;
  ignore?: string[];
  severity?: string[];
  failureThreshold?: string;
  fail: boolean;
  fix?: boolean;
  fixSuggestions?: boolean;
  stdinFilename: string;
  color: boolean;
  shellcheck: string;
  images?: boolean;
}

const collect = (value: string, all: string[] = []): string[] => [...all, ...value.split(',')];

const FAILED = 1;
const MISUSED = 2;

export const lint: Register = (program, context) => {
  program
    .command('lint')
    .description('check Dockerfiles')
    .argument('[path...]', 'files and folders; - reads standard input', ['.'])
    .option('-f, --format <format>', `output: ${Object.keys(FORMATS).join(', ')}`)
    .option(
      '-c, --config <file>',
      'configuration (default: the nearest .hadolint.yaml above each file)',
    )
    .option('--no-config', 'read no configuration')
    .option(
      '--context <folder>',
      'the build context (default: the nearest folder that has the sources)',
    )
    .option('--no-context', 'do not look for the sources of COPY and ADD')
    .option('--ignore <rule>', 'ignore a rule (repeat, or separate by commas)', collect)
    .option('--severity <rule=level>', 'error, warning, info, style or ignore for a rule', collect)
    .option(
      '-t, --failure-threshold <level>',
      'fail from this level on: error, warning, info, style, ignore, none',
    )
    .option('--no-fail', 'exit 0 whatever is found')
    .option('--fix', 'repair what can safely be repaired')
    .option('--fix-suggestions', 'repair also what someone should look at')
    .option('--stdin-filename <path>', 'the name of standard input', 'Dockerfile')
    .option(
      '--shellcheck <program>',
      "ShellCheck's findings too: auto (when it is in the PATH), off, or its path",
      'auto',
    )
    .option(
      '--images',
      'take the environment, user and shell of base images from the engine that runs (--host)',
    )
    .option('--no-color', 'no colours')
    .addHelpText(
      'after',
      '\nExit status: 0 nothing found, 1 something found, 2 wrong usage or configuration, or a file that cannot be read or written.',
    )
    .action(async (paths: string[], flags: LintFlags) => {
      try {
        const { env, signal } = context;
        const { host } = program.opts<{ host?: string }>();
        const images = flags.images === true ? await localImages({ host, env, signal }) : undefined;
        await new LintRun(flags, context, images).run(paths);
      } catch (error) {
        context.exit(MISUSED);
        throw error;
      }
    });
};

class LintRun {
  private readonly flags: LintFlags;
  private readonly context: Context;
  private readonly settings: LintSettings;

  constructor(flags: LintFlags, context: Context, images: KnownImages | undefined) {
    this.flags = flags;
    this.context = context;
    this.settings = { ...settingsOf(flags, context.env), images };
  }

  async run(paths: readonly string[]): Promise<void> {
    const { context, flags } = this;
    if (paths.includes('-') && paths.length > 1)
      throw new EngineError('invalid', '- stands alone: it reads standard input');
    const isPiped = paths[0] === '-';
    const result = isPiped ? await this.lintStdin() : await this.lintPaths(paths);
    const { reports, warnings, failures, isMisconfigured } = result;
    for (const warning of warnings) context.stderr.write(`${printable(warning)}\n`);
    for (const failure of failures) context.stderr.write(`pinnace: ${printable(failure)}\n`);
    const [first] = reports;
    const output = this.formatFor(first?.found)(reports, { color: this.hasColor() });
    // The repaired text of standard input has standard output for itself.
    const stream = isPiped && this.settings.safeties.length > 0 ? context.stderr : context.stdout;
    stream.write(output);
    const isUnread = failures.length > 0;
    if (reports.length === 0 && !isUnread) context.stderr.write('pinnace: no Dockerfile found\n');
    if (isMisconfigured || isUnread) context.exit(MISUSED);
    else if (flags.fail && reports.some((report) => this.isFailed(report))) context.exit(FAILED);
  }

  private async lintPaths(named: readonly string[]): Promise<LintResult> {
    const { paths, failures } = findDockerfiles(named);
    const result = await lintFiles(paths, this.settings, this.context.signal);
    return { ...result, failures: [...failures, ...result.failures] };
  }

  private async lintStdin(): Promise<LintResult> {
    const linter = new FileLinter(this.settings, this.context.signal);
    const bytes = await readStream(this.context.stdin, 'standard input');
    const report = await linter.lintText(bytes.toString('utf8'), this.flags.stdinFilename);
    if (this.settings.safeties.length > 0) this.context.stdout.write(report.text);
    return linter.result([report]);
  }

  private formatFor(found: FoundConfiguration | undefined): Format {
    const chosen = this.flags.format;
    const configured = found?.configuration.format;
    const format = formatOf(chosen ?? configured ?? 'text');
    if (format !== undefined) return format;
    const names = Object.keys(FORMATS);
    const name = chosen ?? configured ?? '';
    const message = `there is no format '${name}': ${names.join(', ')}${suggestion(name, names)}`;
    if (chosen !== undefined) throw new EngineError('invalid', message);
    // The file may well be for hadolint, which has more of them.
    this.context.stderr.write(`${found?.path ?? ''} format: ${message}; text is written\n`);
    return textFormat;
  }

  private isFailed({ problems, failOnAny, found }: LintedFile): boolean {
    const configuration = found?.configuration;
    if (configuration?.noFail === true) return false;
    if (failOnAny && problems.length > 0) return true;
    const name = this.flags.failureThreshold;
    const threshold =
      name === undefined ? (configuration?.failureThreshold ?? 'information') : readThreshold(name);
    return problems.some(({ severity }) => reaches(severity, threshold));
  }

  private hasColor(): boolean {
    const { flags, context } = this;
    const wanted = flags.color && (context.env['NO_COLOR'] ?? '') === '';
    return wanted && context.stdout.isTTY && flags.fix !== true;
  }
}

function settingsOf(flags: LintFlags, env: NodeJS.ProcessEnv): Omit<LintSettings, 'images'> {
  const { config, context, fix, fixSuggestions } = flags;
  return {
    configuration:
      config === false ? 'none' : config === undefined ? 'search' : readConfigurationFile(config),
    overrides: overridesOf(flags),
    context: context === false ? 'none' : context === undefined ? 'search' : contextIn(context),
    shellcheck: shellCheckFor(flags.shellcheck, env),
    safeties: fixSuggestions === true ? ['safe', 'suggestion'] : fix === true ? ['safe'] : [],
    env: { ...env },
  };
}

/** Throws invalid for what is no folder: all sources would be missing in it. */
function contextIn(folder: string): { readonly folder: string } {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return { folder };
  throw new EngineError('invalid', `--context: ${folder} is no folder`, { path: folder });
}

/** The program of `--shellcheck`; undefined for none. Throws invalid for a path that is no program. */
function shellCheckFor(setting: string, env: NodeJS.ProcessEnv): string | undefined {
  if (setting === 'off' || setting === 'auto')
    return findShellCheck(setting === 'auto' ? '' : setting, env);
  const program = findShellCheck(resolve(setting), env);
  if (program !== undefined) return program;
  const message = `--shellcheck: ${setting} is no program; give auto, off or the path of shellcheck`;
  throw new EngineError('invalid', message, { path: setting });
}

const ORDER: readonly Threshold[] = ['off', 'hint', 'information', 'warning', 'error'];

function reaches(severity: Severity, threshold: Threshold): boolean {
  return threshold !== 'none' && ORDER.indexOf(severity) >= ORDER.indexOf(threshold);
}

function readThreshold(name: string): Threshold {
  const threshold = thresholdOf(name);
  if (threshold !== undefined) return threshold;
  throw new EngineError(
    'invalid',
    `there is no level '${name}': error, warning, info, style, ignore or none`,
  );
}

/** What --ignore and --severity say, by rule id. */
function overridesOf({ ignore = [], severity = [] }: LintFlags): Map<string, Severity | 'off'> {
  const overrides = new Map<string, Severity | 'off'>();
  for (const entry of severity) {
    const [name = '', level = ''] = entry.split('=');
    const chosen = thresholdOf(level);
    if (chosen === undefined || chosen === 'none')
      throw new EngineError(
        'invalid',
        `--severity takes RULE=LEVEL with error, warning, info, style or ignore, not '${entry}'`,
      );
    for (const id of idsOf(name)) overrides.set(id, chosen);
  }
  for (const name of ignore) for (const id of idsOf(name)) overrides.set(id, 'off');
  return overrides;
}

function idsOf(name: string): string[] {
  const ids = rulesNamed(name.trim()).map(({ id }) => id);
  if (ids.length > 0) return ids;
  // One of ShellCheck's that we have no rule for.
  if (/^SC[1-9]\d{3}$/i.test(name.trim())) return [name.trim().toUpperCase()];
  throw new EngineError('invalid', `there is no rule '${name}'${suggestion(name, ALL_NAMES)}`);
}
