/** `lint`: checks Dockerfiles, in files, folders and standard input, and repairs what can be repaired. */

import { dirname, relative, resolve } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import {
  ConfigurationFinder,
  type FoundConfiguration,
  readConfigurationFile,
} from '../../client/lint/configuration.ts';
import { RememberedDisk } from '../../client/build/disk.ts';
import { contextFacts } from '../../client/lint/context.ts';
import { findDockerfiles, readDockerfile } from '../../client/lint/files.ts';
import { fixText, writeFixed } from '../../client/lint/fix.ts';
import { addShellCheck } from '../../client/lint/shellcheck/batch.ts';
import { findShellCheck } from '../../client/lint/shellcheck/program.ts';
import {
  type Threshold,
  thresholdOf,
  withConfiguration,
} from '../../lib/dockerfile/lint/config/hadolint.ts';
import { DEFAULT_OPTIONS, lintDockerfile } from '../../lib/dockerfile/lint/lint.ts';
import { LintMemory } from '../../lib/dockerfile/lint/memory.ts';
import type { FixSafety, LintOptions, LintProblem } from '../../lib/dockerfile/lint/rule.ts';
import { ALL_NAMES, rulesNamed } from '../../lib/dockerfile/lint/table.ts';
import { parseDockerfile } from '../../lib/dockerfile/parse.ts';
import { suggestion } from '../../lib/dockerfile/problems.ts';
import type { Dockerfile, Severity } from '../../lib/dockerfile/syntax.ts';
import { EngineError } from '../../lib/errors.ts';
import type { Context, Register } from '../context.ts';
import { FORMATS, formatOf } from '../lint/formats.ts';
import type { FileReport, Format } from '../lint/report.ts';
import { textFormat } from '../lint/text.ts';

interface LintFlags {
  format?: string;
  config?: string | false;
  context?: string | false;
  ignore: string[];
  severity: string[];
  failureThreshold?: string;
  fail: boolean;
  fix?: boolean;
  fixSuggestions?: boolean;
  stdinFilename: string;
  color: boolean;
  shellcheck: string;
}

const collect = (value: string, all: string[]): string[] => [...all, ...value.split(',')];

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
    .option(
      '--ignore <rule>',
      'ignore a rule (repeat, or separate by commas)',
      collect,
      [] as string[],
    )
    .option(
      '--severity <rule=level>',
      'error, warning, info, style or ignore for a rule',
      collect,
      [] as string[],
    )
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
    .option('--no-color', 'no colours')
    .addHelpText(
      'after',
      '\nExit status: 0 nothing found, 1 something found, 2 wrong usage or configuration.',
    )
    .action(async (paths: string[], flags: LintFlags) => {
      try {
        await new LintRun(flags, context).run(paths);
      } catch (error) {
        context.exit(MISUSED);
        throw error;
      }
    });
};

interface Linted extends FileReport {
  readonly failOnAny: boolean;
  readonly found: FoundConfiguration | undefined;
  readonly file: Dockerfile;
  readonly options: LintOptions;
}

class LintRun {
  private readonly flags: LintFlags;
  private readonly context: Context;
  private readonly finder: ConfigurationFinder;
  private readonly overrides: ReadonlyMap<string, Severity | 'off'>;
  private readonly named: FoundConfiguration | undefined;
  private readonly reported = new Set<string>();
  private readonly safeties: readonly FixSafety[];
  private readonly shellcheck: string | undefined;
  private misconfigured = false;
  private readonly memory = new LintMemory();
  /** Files that lie together are looked for in the same folders. */
  private readonly disk = new RememberedDisk({ life: Infinity });

  constructor(flags: LintFlags, context: Context) {
    this.flags = flags;
    this.context = context;
    this.finder = new ConfigurationFinder(context.env);
    this.overrides = overridesOf(flags);
    this.named = typeof flags.config === 'string' ? readConfigurationFile(flags.config) : undefined;
    this.shellcheck = shellCheckFor(flags.shellcheck, context.env);
    const suggestions = flags.fixSuggestions === true;
    this.safeties = suggestions ? ['safe', 'suggestion'] : flags.fix === true ? ['safe'] : [];
  }

  async run(paths: readonly string[]): Promise<void> {
    const { context, flags } = this;
    if (paths.includes('-') && paths.length > 1)
      throw new EngineError('invalid', '- stands alone: it reads standard input');
    const own: Linted[] = [];
    if (paths[0] === '-') own.push(await this.lintStdin());
    else for (const path of findDockerfiles(paths)) own.push(await this.lintFile(path));
    const reports = await this.withShellCheck(own);
    const [first] = reports;
    const output = this.formatFor(first?.found)(reports, { color: this.hasColor() });
    // The repaired text of standard input has standard output for itself.
    const stream = paths[0] === '-' && this.safeties.length > 0 ? context.stderr : context.stdout;
    stream.write(output);
    if (reports.length === 0) context.stderr.write('pinnace: no Dockerfile found\n');
    if (this.misconfigured) context.exit(MISUSED);
    else if (flags.fail && reports.some((report) => this.isFailed(report))) context.exit(FAILED);
  }

  private async lintFile(path: string): Promise<Linted> {
    const before = readDockerfile(path);
    const found = this.configurationFor(path);
    const options = this.optionsFor(found);
    const text = await this.fix(before, path, options);
    if (text !== before) writeFixed(path, before, text);
    return { ...this.lint(text, path, options), path: shownPath(path), text, found };
  }

  private async lintStdin(): Promise<Linted> {
    const path = this.flags.stdinFilename;
    const before = await readAll(this.context.stdin);
    const found = this.configurationFor(path);
    const options = this.optionsFor(found);
    const text = await this.fix(before, path, options);
    if (this.safeties.length > 0) this.context.stdout.write(text);
    return { ...this.lint(text, path, options), path, text, found };
  }

  private async fix(text: string, path: string, options: LintOptions): Promise<string> {
    const { safeties } = this;
    if (safeties.length === 0) return text;
    const problemsOf = async (each: string): Promise<readonly LintProblem[]> => {
      const linted = { ...this.lint(each, path, options), path, text: each, found: undefined };
      // ShellCheck's fixes are suggestions, all of them.
      const all = safeties.includes('suggestion') ? await this.withShellCheck([linted]) : [linted];
      return all[0]?.problems ?? [];
    };
    return (await fixText(text, problemsOf, safeties)).text;
  }

  private lint(
    text: string,
    path: string,
    options: LintOptions,
  ): Pick<Linted, 'problems' | 'failOnAny' | 'file' | 'options'> {
    const file = parseDockerfile(text);
    const { context } = this.flags;
    const where = { disk: this.disk, ...(typeof context === 'string' ? { context } : {}) };
    const facts = context === false ? undefined : contextFacts(path, file, where);
    const all = { ...options, context: facts };
    return { ...lintDockerfile(file, all, this.memory), file, options: all };
  }

  /** The files with ShellCheck's findings among ours, where there is a ShellCheck. */
  private async withShellCheck(reports: readonly Linted[]): Promise<readonly Linted[]> {
    const { shellcheck, context } = this;
    if (shellcheck === undefined) return reports;
    const judged = reports.map(({ file, options, problems: own }) => ({ file, options, own }));
    const { problems, failures } = await addShellCheck(shellcheck, judged, context.signal);
    for (const failure of new Set(failures))
      context.stderr.write(`pinnace: ShellCheck: ${failure}\n`);
    return reports.map((report, at) => ({ ...report, problems: problems[at] ?? report.problems }));
  }

  private configurationFor(path: string): FoundConfiguration | undefined {
    if (this.flags.config === false) return undefined;
    const found = this.named ?? this.finder.forFolder(dirname(resolve(path)));
    if (found.path !== undefined && !this.reported.has(found.path))
      this.reportProblems(found, found.path);
    return found;
  }

  private reportProblems({ configuration }: FoundConfiguration, path: string): void {
    this.reported.add(path);
    for (const { line, character, key, message } of configuration.problems) {
      this.misconfigured = true;
      const where = `${shownPath(path)}:${String(line + 1)}:${String(character + 1)}`;
      this.context.stderr.write(`${where} ${key === '' ? '' : `${key}: `}${message}\n`);
    }
  }

  private optionsFor(found: FoundConfiguration | undefined): LintOptions {
    const options =
      found === undefined
        ? DEFAULT_OPTIONS
        : withConfiguration(DEFAULT_OPTIONS, found.configuration);
    return { ...options, severities: new Map([...options.severities, ...this.overrides]) };
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

  private isFailed({ problems, failOnAny, found }: Linted): boolean {
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

/** The program of `--shellcheck`; undefined for none. Throws invalid for a path that is no program. */
function shellCheckFor(setting: string, env: NodeJS.ProcessEnv): string | undefined {
  if (setting === 'off' || setting === 'auto')
    return findShellCheck(setting === 'auto' ? '' : setting, env);
  const program = findShellCheck(resolve(setting), env);
  if (program !== undefined) return program;
  const message = `--shellcheck: ${setting} is no program; give auto, off or the path of shellcheck`;
  throw new EngineError('invalid', message, { path: setting });
}

/** A path below the working directory is shown from there. */
function shownPath(path: string): string {
  const below = relative(process.cwd(), path);
  return below === '' || below.startsWith('..') ? path : below;
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
function overridesOf({ ignore, severity }: LintFlags): Map<string, Severity | 'off'> {
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
