/**
 * Lints files one after another for one run: their configuration, their repair, the linter's findings and ShellCheck's.
 * It writes repaired files and nothing else; what people are to be told it gathers.
 */
import { dirname, relative, resolve } from 'node:path';
import { RememberedDisk } from '../../client/build/disk.ts';
import { ConfigurationFinder, type FoundConfiguration } from '../../client/lint/configuration.ts';
import { contextFacts, contextPaths } from '../../client/lint/context.ts';
import { readDockerfile } from '../../client/lint/files.ts';
import { fixText } from '../../client/lint/fix.ts';
import { knownImage, type KnownImages } from '../../client/lint/images.ts';
import { replaceFile } from '../../client/lint/replace.ts';
import { addShellCheck } from '../../client/lint/shellcheck/batch.ts';
import { imageFacts } from '../../lib/dockerfile/lint/analysis/images.ts';
import { withConfiguration } from '../../lib/dockerfile/lint/config/hadolint.ts';
import { DEFAULT_OPTIONS, lintDockerfile } from '../../lib/dockerfile/lint/lint.ts';
import { LintMemory } from '../../lib/dockerfile/lint/memory.ts';
import type {
  FixSafety,
  ImageFacts,
  LintOptions,
  LintProblem,
} from '../../lib/dockerfile/lint/rule.ts';
import { parseDockerfile } from '../../lib/dockerfile/parse.ts';
import { kindOf, messageOf } from '../../lib/errors.ts';
import type { Dockerfile, Severity } from '../../lib/dockerfile/syntax.ts';
import type { FileReport } from './report.ts';

/** What holds for all files of a run; it can be sent to another thread. */
export interface LintSettings {
  /** `search`: the nearest one above each file. */
  readonly configuration: 'search' | 'none' | FoundConfiguration;
  /** Severities by rule id, before those of configurations. */
  readonly overrides: ReadonlyMap<string, Severity | 'off'>;
  readonly context: 'search' | 'none' | { readonly folder: string };
  /** ShellCheck's program. */
  readonly shellcheck: string | undefined;
  /** Base images that are known; undefined: none was asked for. */
  readonly images: KnownImages | undefined;
  /** Which fixes are applied. */
  readonly safeties: readonly FixSafety[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface LintedFile extends FileReport {
  readonly failOnAny: boolean;
  readonly found: FoundConfiguration | undefined;
}

export interface LintResult {
  /** In the order of the files. */
  readonly reports: readonly LintedFile[];
  /** Lines for people, each once. */
  readonly warnings: readonly string[];
  /** Files that could not be read, or not be repaired: lines for people. */
  readonly failures: readonly string[];
  /** A configuration has mistakes. */
  readonly isMisconfigured: boolean;
}

/** A file with all that ShellCheck's findings need. */
interface Judged extends LintedFile {
  readonly file: Dockerfile;
  readonly options: LintOptions;
}

export class FileLinter {
  private readonly settings: LintSettings;
  private readonly signal: AbortSignal;
  private readonly finder: ConfigurationFinder;
  private readonly memory = new LintMemory();
  /** Files that lie together are looked for in the same folders. */
  private readonly disk = new RememberedDisk({ life: Infinity });
  private readonly warnings = new Set<string>();
  private readonly failures: string[] = [];
  private readonly images: ImageFacts | undefined;
  private isMisconfigured = false;

  constructor(settings: LintSettings, signal: AbortSignal) {
    this.settings = settings;
    this.signal = signal;
    this.finder = new ConfigurationFinder(settings.env);
    const { images } = settings;
    this.images = images && imageFacts((name) => knownImage(images, name));
  }

  result(reports: readonly LintedFile[]): LintResult {
    const { isMisconfigured } = this;
    const [warnings, failures] = [[...this.warnings], this.failures.splice(0)];
    return { reports, warnings, failures, isMisconfigured };
  }

  /** Files as they are named, repaired in their place. One that cannot be read or written does not keep the others from it. */
  async lintFiles(paths: readonly string[]): Promise<LintResult> {
    const judged: Judged[] = [];
    const reports: LintedFile[] = [];
    for (const path of paths) {
      this.signal.throwIfAborted();
      const report = await this.judgeFile(path);
      if (report === undefined) continue;
      if (this.settings.shellcheck === undefined) reports.push(plain(report));
      else judged.push(report);
    }
    const checked = await this.withShellCheck(judged);
    return this.result([...reports, ...checked.map(plain)]);
  }

  /** A text under a name; its report has the repaired one. */
  async lintText(text: string, path: string): Promise<LintedFile> {
    const [report] = await this.withShellCheck([await this.judge(text, path, { shown: path })]);
    if (report === undefined) throw new Error('a text has one report');
    return plain(report);
  }

  /** undefined where there is nothing to judge. What cannot be repaired is judged as it is. */
  private async judgeFile(path: string): Promise<Judged | undefined> {
    const before = this.attempt(() => readDockerfile(path).toString('utf8'));
    if (before === undefined) return undefined;
    const report = await this.judge(before, path);
    if (report.text === before) return report;
    const isWritten = this.attempt(() => {
      replaceFile(path, before, report.text);
      return true;
    });
    return isWritten === true ? report : this.lint(before, path, report);
  }

  private attempt<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (kindOf(error) === 'cancelled') throw error;
      this.failures.push(messageOf(error));
      return undefined;
    }
  }

  private async judge(
    before: string,
    path: string,
    { shown = shownPath(path) }: { readonly shown?: string } = {},
  ): Promise<Judged> {
    const found = this.configurationFor(path);
    const about = { path: shown, found, options: this.optionsFor(found) };
    const text = await this.repaired(before, (each) => this.lint(each, path, about));
    return this.lint(text, path, about);
  }

  private async repaired(text: string, lint: (text: string) => Judged): Promise<string> {
    const { safeties } = this.settings;
    if (safeties.length === 0) return text;
    const problemsOf = async (each: string): Promise<readonly LintProblem[]> => {
      const own = lint(each);
      // ShellCheck's fixes are suggestions, all of them.
      const all = safeties.includes('suggestion') ? await this.withShellCheck([own]) : [own];
      return all[0]?.problems ?? [];
    };
    return (await fixText(text, problemsOf, safeties)).text;
  }

  private lint(
    text: string,
    place: string,
    { path, found, options: asked }: Pick<Judged, 'path' | 'found' | 'options'>,
  ): Judged {
    const file = parseDockerfile(text);
    const { context } = this.settings;
    const where = typeof context === 'string' ? {} : { context: context.folder };
    const facts =
      context === 'none'
        ? undefined
        : contextFacts(place, contextPaths(file), { disk: this.disk, ...where });
    const options = { ...asked, context: facts };
    return { path, found, ...lintDockerfile(file, options, this.memory), text, file, options };
  }

  /** The files with ShellCheck's findings among ours, where there is a ShellCheck. */
  private async withShellCheck(reports: readonly Judged[]): Promise<readonly Judged[]> {
    const { shellcheck } = this.settings;
    if (shellcheck === undefined) return reports;
    const judged = reports.map(({ file, options, problems: own }) => ({ file, options, own }));
    const { problems, failures } = await addShellCheck(shellcheck, judged, this.signal);
    for (const failure of failures) this.warnings.add(`pinnace: ShellCheck: ${failure}`);
    return reports.map((report, at) => ({ ...report, problems: problems[at] ?? report.problems }));
  }

  private configurationFor(path: string): FoundConfiguration | undefined {
    const { configuration: chosen } = this.settings;
    if (chosen === 'none') return undefined;
    const found = chosen === 'search' ? this.finder.forFolder(dirname(resolve(path))) : chosen;
    if (found.path !== undefined) this.noteProblems(found, found.path);
    return found;
  }

  private noteProblems({ configuration }: FoundConfiguration, path: string): void {
    for (const { line, character, key, message } of configuration.problems) {
      this.isMisconfigured = true;
      const where = `${shownPath(path)}:${String(line + 1)}:${String(character + 1)}`;
      this.warnings.add(`${where} ${key === '' ? '' : `${key}: `}${message}`);
    }
  }

  private optionsFor(found: FoundConfiguration | undefined): LintOptions {
    const options =
      found === undefined
        ? DEFAULT_OPTIONS
        : withConfiguration(DEFAULT_OPTIONS, found.configuration);
    return {
      ...options,
      images: this.images,
      severities: new Map([...options.severities, ...this.settings.overrides]),
    };
  }
}

/** The report without its tree, which is large. */
function plain({ path, text, problems, failOnAny, found }: Judged): LintedFile {
  return { path, text, problems, failOnAny, found };
}

/** A path below the working directory is shown from there. */
function shownPath(path: string): string {
  const below = relative(process.cwd(), path);
  return below === '' || below.startsWith('..') ? path : below;
}
