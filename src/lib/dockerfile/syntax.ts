/**
 * The types of a parsed Dockerfile: the one tree that the editor, the linter and the builder share.
 * Types only; the parser is in parse.ts, the expansion of variables in expand.ts.
 */
import type { LineIndex, Range, Span } from '../text/lines.ts';

export type { LineIndex, Position, Range, Span } from '../text/lines.ts';

export type Severity = 'error' | 'warning' | 'information' | 'hint';

/**
 * One finding about a Dockerfile. The same object is the editor's squiggle and the builder's error:
 * a file with a problem of severity `error` does not build.
 */
export interface Problem {
  readonly code: ProblemCode;
  readonly message: string;
  readonly range: Span;
  readonly severity: Severity;
}

/** Codes follow the names of BuildKit's checks where one fits. */
export type ProblemCode =
  | 'SyntaxError'
  | 'UnknownInstruction'
  | 'MissingArguments'
  | 'TooManyArguments'
  | 'UnknownFlag'
  | 'DuplicateFlag'
  | 'InvalidFlagValue'
  | 'InvalidMount'
  | 'InvalidJSON'
  | 'InvalidDirective'
  | 'InvalidStageName'
  | 'InvalidDuration'
  | 'NoBuildStage'
  | 'NoInstructions'
  | 'OnbuildDisallowed'
  | 'UnterminatedHeredoc'
  | 'UnsupportedHeredoc'
  | 'UnknownStage'
  | 'CircularDependency'
  | 'InvalidExpansion'
  | 'TooManyInstructions'
  | 'TooManyProblems'
  | 'NoEmptyContinuation'
  | 'DuplicateStageName'
  | 'ReservedStageName'
  | 'StageNameCasing'
  | 'FromAsCasing'
  | 'MaintainerDeprecated'
  | 'LegacyKeyValueFormat'
  | 'MultipleInstructionsDisallowed';

/** From index `index` of a word's text onwards, characters come from `offset` of the file onwards. */
export interface Break {
  readonly index: number;
  readonly offset: number;
}

/**
 * A piece of an instruction's arguments as written: quotes, escapes and variables still in it, line continuations
 * and the comments between them taken out. `breaks` is empty when `text` stands in the file in one piece.
 */
export interface Word {
  readonly text: string;
  readonly range: Range;
  readonly breaks: readonly Break[];
}

/** `--name=value` before an instruction's arguments; quotes and backslashes in it are already processed. */
export interface Flag {
  /** Without the dashes. */
  readonly name: string;
  readonly nameRange: Range;
  /** `undefined` for a bare `--name`. Variables are not expanded. */
  readonly value: Word | undefined;
  readonly range: Range;
}

/** `<<NAME` in RUN, COPY or ADD. */
export interface Heredoc {
  readonly name: string;
  /** The file descriptor before `<<`; 0 when there is none. */
  readonly fd: number;
  /** Leading tabs of each line are to be stripped (`<<-`); `content` has them stripped already. */
  readonly chomp: boolean;
  /** Variables in the content are expanded (the name was not quoted). */
  readonly expand: boolean;
  readonly content: string;
  /** `<<NAME` on the instruction's line. */
  readonly range: Range;
  /** The lines of the content, without the terminator's line. */
  readonly contentRange: Range;
}

export type Directive = {
  readonly name: string;
  readonly value: string;
  readonly range: Range;
  readonly valueRange: Range;
};

export interface Directives {
  readonly syntax: Directive | undefined;
  readonly escape: Directive | undefined;
  readonly check: Directive | undefined;
  /** The character in force: a backslash unless the escape directive says a backtick. */
  readonly escapeCharacter: Escape;
}

export type Escape = '\\' | '`';

export type InstructionKind =
  | 'ADD'
  | 'ARG'
  | 'CMD'
  | 'COPY'
  | 'ENTRYPOINT'
  | 'ENV'
  | 'EXPOSE'
  | 'FROM'
  | 'HEALTHCHECK'
  | 'LABEL'
  | 'MAINTAINER'
  | 'ONBUILD'
  | 'RUN'
  | 'SHELL'
  | 'STOPSIGNAL'
  | 'USER'
  | 'VOLUME'
  | 'WORKDIR';

interface InstructionBase {
  /** From the keyword to the end of the last line, heredocs included, the last line break not. */
  readonly range: Range;
  readonly keyword: Word;
  readonly flags: readonly Flag[];
  /** All that follows the flags, as one word; empty text when there is nothing. */
  readonly argument: Word;
  /** The instruction in one line as written, continuations joined; for history and progress. */
  readonly original: string;
  /** Comment lines directly before the instruction, without `#`, trimmed. */
  readonly comments: readonly string[];
}

/** `exec` holds the JSON array's strings; `shell` one command line for the shell in force. */
export type Command =
  | { readonly form: 'exec'; readonly words: readonly Word[] }
  | { readonly form: 'shell'; readonly command: Word };

export interface FromInstruction extends InstructionBase {
  readonly kind: 'FROM';
  readonly image: Word;
  readonly platform: Word | undefined;
  /** The stage's name as written; compare in lower case. */
  readonly name: Word | undefined;
}

export type MountType = 'bind' | 'cache' | 'tmpfs' | 'secret' | 'ssh';

/** One `key=value` of a mount; `value` is undefined for a bare `key`. */
export interface MountOption {
  readonly key: string;
  readonly keyRange: Range;
  readonly value: Word | undefined;
}

/**
 * A `RUN --mount=…`. Values that may hold variables (`from`, `source`, `target`, `id`) are words; unset ones are
 * undefined and take the frontend's defaults when the plan is made.
 */
export interface Mount {
  readonly type: MountType;
  readonly options: readonly MountOption[];
  readonly range: Range;
  readonly from: Word | undefined;
  readonly source: Word | undefined;
  readonly target: Word | undefined;
  readonly id: Word | undefined;
  readonly sharing: 'shared' | 'private' | 'locked';
  readonly readonly: boolean;
  readonly required: boolean;
  /** Name of the environment variable that gets a secret. */
  readonly env: Word | undefined;
  readonly mode: number | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  /** Bytes (tmpfs). */
  readonly size: number | undefined;
}

export interface RunInstruction extends InstructionBase {
  readonly kind: 'RUN';
  readonly command: Command;
  readonly heredocs: readonly Heredoc[];
  readonly mounts: readonly Mount[];
  readonly network: 'default' | 'none' | 'host';
  readonly security: 'sandbox' | 'insecure';
  readonly devices: readonly Word[];
}

interface TransferBase extends InstructionBase {
  /** A source that is a heredoc stands in `heredocs` and also here, with the text `<<NAME`. */
  readonly sources: readonly Word[];
  readonly dest: Word;
  readonly heredocs: readonly Heredoc[];
  readonly chown: Word | undefined;
  readonly chmod: Word | undefined;
  readonly link: boolean;
  readonly excludes: readonly Word[];
}

export interface CopyInstruction extends TransferBase {
  readonly kind: 'COPY';
  readonly from: Word | undefined;
  readonly parents: boolean;
}

export interface AddInstruction extends TransferBase {
  readonly kind: 'ADD';
  readonly checksum: Word | undefined;
  /** `undefined`: not given, so the frontend's default holds. */
  readonly keepGitDir: boolean | undefined;
  readonly unpack: boolean | undefined;
}

/** `name=value`; `value` is raw (quotes still in it), undefined only for `ARG name`. */
export interface Pair {
  readonly name: Word;
  readonly value: Word | undefined;
  /** `name value` without an equals sign. */
  readonly legacy: boolean;
  readonly range: Range;
}

export interface PairInstruction extends InstructionBase {
  readonly kind: 'ENV' | 'LABEL' | 'ARG';
  readonly pairs: readonly Pair[];
}

export interface CommandInstruction extends InstructionBase {
  readonly kind: 'CMD' | 'ENTRYPOINT';
  readonly command: Command;
}

export interface ShellInstruction extends InstructionBase {
  readonly kind: 'SHELL';
  readonly words: readonly Word[];
}

export interface HealthcheckInstruction extends InstructionBase {
  readonly kind: 'HEALTHCHECK';
  /** `undefined` for NONE. */
  readonly command: Command | undefined;
  /** Nanoseconds, as the Engine API wants them; undefined where not given. */
  readonly interval: number | undefined;
  readonly timeout: number | undefined;
  readonly startPeriod: number | undefined;
  readonly startInterval: number | undefined;
  readonly retries: number | undefined;
}

export interface WordsInstruction extends InstructionBase {
  readonly kind: 'EXPOSE' | 'VOLUME';
  readonly words: readonly Word[];
}

export interface ValueInstruction extends InstructionBase {
  readonly kind: 'USER' | 'WORKDIR' | 'STOPSIGNAL' | 'MAINTAINER';
  readonly value: Word;
}

export interface OnbuildInstruction extends InstructionBase {
  readonly kind: 'ONBUILD';
  /** The deferred instruction, with ranges in this file; undefined when it is missing or not allowed. */
  readonly instruction: Instruction | undefined;
  /** What an image's `OnBuild` list holds: the instruction's text. */
  readonly trigger: string;
}

/** An instruction that no frontend knows; always goes with a problem. */
export interface UnknownInstruction extends InstructionBase {
  readonly kind: 'UNKNOWN';
}

export type Instruction =
  | FromInstruction
  | RunInstruction
  | CopyInstruction
  | AddInstruction
  | PairInstruction
  | CommandInstruction
  | ShellInstruction
  | HealthcheckInstruction
  | WordsInstruction
  | ValueInstruction
  | OnbuildInstruction
  | UnknownInstruction;

/** A comment line, with the `#`. */
export interface Comment {
  readonly text: string;
  readonly range: Range;
}

/** FROM and what follows it up to the next FROM. */
export interface Stage {
  readonly index: number;
  /** In lower case; undefined for an unnamed stage. */
  readonly name: string | undefined;
  readonly from: FromInstruction;
  readonly instructions: readonly Instruction[];
  readonly range: Range;
}

export interface Dockerfile {
  readonly text: string;
  readonly lines: LineIndex;
  readonly directives: Directives;
  readonly comments: readonly Comment[];
  readonly instructions: readonly Instruction[];
  readonly stages: readonly Stage[];
  /** ARG instructions before the first FROM. */
  readonly globalArgs: readonly PairInstruction[];
  /** In the order of the file. */
  readonly problems: readonly Problem[];
}
