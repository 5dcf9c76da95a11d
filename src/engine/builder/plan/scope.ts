/**
 * The variables and the state of a stage while it is planned: arguments, ENV, and the predefined ones. Owns which value a name has
 * at a place and what an expansion's problems are; it never looks at the engine's own environment.
 */
import { expandWord, expandWords, type Environment } from '../../../lib/dockerfile/expand.ts';
import { problemOf } from '../../../lib/dockerfile/problems.ts';
import type {
  Command,
  Dockerfile,
  PairInstruction,
  Problem,
  ProblemCode,
  Range,
  Word,
} from '../../../lib/dockerfile/syntax.ts';
import type { RunConfig } from '../../../lib/image/config.ts';
import type { Action, Source } from './graph.ts';

/** Values that may be given without an ARG; they reach RUN's environment, never a cache key or the history. */
const PROXY_NAMES = ['HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'NO_PROXY', 'ALL_PROXY'];
export const PROXY_ARGS: ReadonlySet<string> = new Set(
  PROXY_NAMES.flatMap((name) => [name, name.toLowerCase()]),
);

/** Accepted without an ARG and without effect on the steps. */
const SILENT_ARGS: ReadonlySet<string> = new Set(['SOURCE_DATE_EPOCH']);

/** PATH of a stage whose base sets none. */
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export type BuildArgs = Readonly<Record<string, string | null>>;

/** A range of a file. */
export interface Place {
  readonly file: Dockerfile;
  readonly range: Range;
}

/** Expands words of one file; problems of severity error are collected with their place. */
export class Expander {
  readonly problems: Problem[] = [];
  /** How many of the problems are about what is not implemented. */
  unsupportedCount = 0;
  private readonly file: Dockerfile;
  private readonly at: Place | undefined;

  /** `at`: where every problem is put instead of the word's own place (triggers come from another file). */
  constructor(file: Dockerfile, at?: Place) {
    this.file = file;
    this.at = at;
  }

  word(word: Word, env: Environment): string {
    const { value, problems } = expandWord(word, env, this.options());
    this.take(problems);
    return value;
  }

  words(word: Word, env: Environment): string[] {
    const { words, problems } = expandWords(word, env, this.options());
    this.take(problems);
    return words.map(({ value }) => value);
  }

  /** The content of a heredoc: quotes have no meaning there. */
  content(text: string, range: Range, env: Environment): string {
    const word: Word = { text, range, breaks: [] };
    const { value, problems } = expandWord(word, env, { ...this.options(), plainQuotes: true });
    this.take(problems);
    return value;
  }

  report(code: ProblemCode, message: string, range: Range): void {
    const place = this.at ?? { file: this.file, range };
    this.problems.push(problemOf({ code, message, range: place.range }, place.file.lines));
  }

  /** Reports what the language allows and this builder cannot do. */
  unsupported(message: string, range: Range): void {
    this.unsupportedCount++;
    this.report('InvalidFlagValue', message, range);
  }

  /** 1 … */
  line(range: Range): number {
    const place = this.at ?? { file: this.file, range };
    return place.file.lines.position(place.range.start).line + 1;
  }

  /** The line of a range's last character, 1 … */
  lastLine(range: Range): number {
    const place = this.at ?? { file: this.file, range };
    const { start, end } = place.range;
    return place.file.lines.position(Math.max(start, end - 1)).line + 1;
  }

  private options() {
    return { escape: this.file.directives.escapeCharacter, lines: this.file.lines };
  }

  private take(problems: readonly Problem[]): void {
    const { at } = this;
    for (const problem of problems) {
      this.problems.push(
        at === undefined ? problem : { ...problem, range: at.file.lines.span(at.range) },
      );
    }
  }
}

/** `os/arch[/variant]` taken apart. */
export function splitPlatform(platform: string): {
  os: string;
  architecture: string;
  variant: string;
} {
  const [os = '', architecture = '', variant = ''] = platform.split('/');
  return { os, architecture, variant };
}

/** The arguments that every build has, declared or not. */
export function platformArgs(build: string, target: string, stage: string): Map<string, string> {
  const args = new Map<string, string>();
  for (const [prefix, platform] of [
    ['BUILD', build],
    ['TARGET', target],
  ] as const) {
    const { os, architecture, variant } = splitPlatform(platform);
    args.set(`${prefix}PLATFORM`, platform);
    args.set(`${prefix}OS`, os);
    args.set(`${prefix}ARCH`, architecture);
    args.set(`${prefix}VARIANT`, variant);
  }
  args.set('TARGETSTAGE', stage === '' ? 'default' : stage);
  return args;
}

/** A value that the build was given for a name; null (named without a value) counts as not given. */
export function givenArg(args: BuildArgs, name: string): string | undefined {
  return Object.hasOwn(args, name) ? (args[name] ?? undefined) : undefined;
}

/** The arguments before the first FROM, with the platform ones; what FROM may use and a stage's bare ARG takes. */
export function globalScope(input: {
  file: Dockerfile;
  predefined: ReadonlyMap<string, string>;
  args: BuildArgs;
  expander: Expander;
}): Map<string, string> {
  const { file, predefined, args, expander } = input;
  const scope = new Map<string, string>();
  for (const [name, value] of predefined) scope.set(name, givenArg(args, name) ?? value);
  for (const instruction of file.globalArgs) {
    for (const pair of instruction.pairs) {
      const name = expander.word(pair.name, (key) => scope.get(key));
      const value =
        givenArg(args, name) ??
        (pair.value === undefined ? undefined : expander.word(pair.value, (key) => scope.get(key)));
      if (value !== undefined) scope.set(name, value);
    }
  }
  return scope;
}

/** The variables of one stage at one place. */
export interface StageVariables {
  /** `NAME=value`, in order; ENV wins over ARG. */
  env: readonly string[];
  /** Declared arguments in order; undefined: without a value. */
  readonly args: Map<string, string | undefined>;
}

export function lookupIn(variables: StageVariables): Environment {
  const env = new Map(variables.env.map(splitAssignment));
  return (name) => env.get(name) ?? variables.args.get(name);
}

function splitAssignment(assignment: string): [string, string] {
  const equals = assignment.indexOf('=');
  return equals < 0
    ? [assignment, '']
    : [assignment.slice(0, equals), assignment.slice(equals + 1)];
}

/** The list with a variable set: replaced in its place, else added at the end. */
export function withEnv(env: readonly string[], name: string, value: string): string[] {
  const index = env.findIndex((entry) => splitAssignment(entry)[0] === name);
  const entry = `${name}=${value}`;
  return index < 0 ? [...env, entry] : env.map((old, at) => (at === index ? entry : old));
}

/** Environment of a RUN: ENV, then the arguments that ENV does not name. */
export function runEnvironment(
  variables: StageVariables,
  given: BuildArgs,
): { env: string[]; proxyEnv: string[]; args: string[] } {
  const names = new Set(variables.env.map((entry) => splitAssignment(entry)[0]));
  const env = [...variables.env];
  const proxy = new Map<string, string>();
  const args: string[] = [];
  for (const name of PROXY_ARGS) {
    const value = givenArg(given, name);
    if (value !== undefined && !names.has(name)) proxy.set(name, value);
  }
  for (const [name, value] of variables.args) {
    if (value === undefined || names.has(name)) continue;
    if (PROXY_ARGS.has(name)) proxy.set(name, value);
    else args.push(`${name}=${value}`);
  }
  env.push(...args);
  return { env, proxyEnv: [...proxy].map(([name, value]) => `${name}=${value}`), args };
}

/** Build arguments that no ARG of the file takes; the predefined ones never count. */
export function unusedArgs(
  file: Dockerfile,
  predefined: ReadonlyMap<string, string>,
  args: BuildArgs,
): string[] {
  const declared = new Set<string>();
  const collect = (instruction: PairInstruction): void => {
    for (const pair of instruction.pairs) declared.add(pair.name.text);
  };
  for (const instruction of file.instructions) if (instruction.kind === 'ARG') collect(instruction);
  const known = (name: string): boolean =>
    declared.has(name) ||
    PROXY_ARGS.has(name) ||
    SILENT_ARGS.has(name) ||
    predefined.has(name) ||
    name.startsWith('BUILDKIT_');
  return Object.keys(args)
    .filter((name) => !known(name))
    .sort();
}

const DEFAULT_SHELL = ['/bin/sh', '-c'];

/** A stage while its instructions are read. `config` is replaced, never changed. */
export interface StageState {
  config: RunConfig;
  author: string | undefined;
  readonly variables: StageVariables;
  /** CMD was set in this stage, so a later ENTRYPOINT keeps it. */
  cmdSet: boolean;
}

/** What the instructions of a build share. */
export interface StepContext {
  readonly expander: Expander;
  readonly buildArgs: BuildArgs;
  readonly globals: ReadonlyMap<string, string>;
  readonly network: 'default' | 'none' | 'host';
  /** The source of `--from=NAME`. */
  readonly resolve: (name: string) => Source;
}

export interface PlannedStep {
  readonly action: Action;
  readonly createdBy: string;
}

/** The whole command line of a command: the shell in force is put before a shell form. */
export function commandLine(command: Command, config: RunConfig): string[] {
  if (command.form === 'exec') return command.words.map(({ text }) => text);
  return [...shellOf(config), command.command.text];
}

export function shellOf(config: RunConfig): readonly string[] {
  return config.Shell !== undefined && config.Shell.length > 0 ? config.Shell : DEFAULT_SHELL;
}

/** An absolute path with `.` and `..` worked out as text; symbolic links are the helper's business. */
export function joinPath(from: string, path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith('/') ? path : `${from}/${path}`).split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}
