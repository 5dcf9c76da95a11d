/**
 * The types of lint rules and of what they find. Types only: the rules are in rules/, their table in table.ts, and lint.ts
 * walks a file with them.
 */
import type {
  AddInstruction,
  CommandInstruction,
  CopyInstruction,
  Dockerfile,
  FromInstruction,
  HealthcheckInstruction,
  Instruction,
  OnbuildInstruction,
  PairInstruction,
  Problem,
  Range,
  RunInstruction,
  Severity,
  ShellInstruction,
  Span,
  Stage,
  UnknownInstruction,
  ValueInstruction,
  Word,
  WordsInstruction,
} from '../syntax.ts';
import type { Facts } from './analysis/facts.ts';
import type { Script, ShellCall } from './shell/script.ts';

/** Replaces a range of the file's text (offsets) by another text. */
export interface Edit {
  readonly range: Range;
  readonly text: string;
}

/** `safe`: the image stays the same or gets what was plainly meant. `suggestion`: someone should look at it. */
export type FixSafety = 'safe' | 'suggestion';

export interface Fix {
  /** What it does, for a menu: `Add -y`. */
  readonly title: string;
  /** Sorted by place; they do not overlap. */
  readonly edits: readonly Edit[];
  readonly safety: FixSafety;
}

export type ProblemTag = 'unnecessary' | 'deprecated';

/** A finding of the linter or the parser, with what can be done about it. */
export interface LintProblem {
  /** The rule's id. */
  readonly code: string;
  readonly message: string;
  readonly range: Span;
  readonly severity: Severity;
  readonly fix?: Fix;
  readonly tag?: ProblemTag;
}

/** What a rule reports. */
export interface LintFinding {
  readonly message: string;
  readonly range: Range;
  readonly fix?: Fix;
  /** The rule's own when absent. */
  readonly severity?: Severity;
}

/**
 * What a rule sees beside the node that it is called with. A hook for an instruction, a script or a call that asks for
 * none of `facts`, `stage`, the file's other parts or the options' context and images depends on the instruction's own
 * lines alone: it is called once for each text, and its findings are used again. So ask late, and only when it matters.
 */
export interface Scope {
  readonly file: Dockerfile;
  readonly facts: Facts;
  readonly options: LintOptions;
  /** The stage of the node; undefined before the first FROM. */
  readonly stage: Stage | undefined;
  /** The instruction is deferred by ONBUILD. */
  readonly deferred: boolean;
  /** The words of an instruction that hold variables or quotes and are expanded by the frontend. */
  expandedWords(instruction: Instruction): readonly Word[];
  /** The script of an instruction of the present stage; undefined when it has none that is read. */
  scriptOf(instruction: Instruction): Script | undefined;
  readonly report: (finding: LintFinding) => void;
}

/** How a label's value must look. */
export type LabelFormat = 'text' | 'rfc3339' | 'semver' | 'url' | 'hash' | 'spdx' | 'email';

/** Answers about the build context; all undefined where it is not known. Paths have slashes and no leading one. */
export interface ContextFacts {
  /** What a COPY source (a path or a pattern) finds: `absent`, `ignored` (all of it by .dockerignore), or `found`. */
  source(pattern: string): 'found' | 'ignored' | 'absent';
}

/** Answers about images that are known without asking a registry; undefined: not known. */
export interface ImageFacts {
  /** Names in the image's environment. */
  environment(image: string): readonly string[] | undefined;
  /** `os/architecture[/variant]` of the image that would be taken for a platform. */
  platform(image: string, wanted: string): string | undefined;
  /** Who its containers run as; '' for root. */
  user(image: string): string | undefined;
  /** The shell that it sets by SHELL; empty where it sets none. */
  shell(image: string): readonly string[] | undefined;
}

export interface LintOptions {
  /** By rule id: another severity, or `off`. */
  readonly severities: ReadonlyMap<string, Severity | 'off'>;
  /** Registries that FROM may use, `*` as a wildcard; empty: any. */
  readonly trustedRegistries: readonly string[];
  readonly labelSchema: ReadonlyMap<string, LabelFormat>;
  /** Labels outside the schema are reported. */
  readonly strictLabels: boolean;
  /** Comments that ignore rules are not obeyed. */
  readonly disableIgnorePragma: boolean;
  readonly context: ContextFacts | undefined;
  readonly images: ImageFacts | undefined;
}

type Visit<Node> = (node: Node, scope: Scope) => void;

/** What a rule wants to see. Each hook is called in the order of the file; those of a kind also for ONBUILD's instruction. */
export interface Checks {
  readonly file?: (file: Dockerfile, scope: Scope) => void;
  readonly stage?: Visit<Stage>;
  readonly every?: Visit<Instruction>;
  readonly FROM?: Visit<FromInstruction>;
  readonly RUN?: Visit<RunInstruction>;
  readonly COPY?: Visit<CopyInstruction>;
  readonly ADD?: Visit<AddInstruction>;
  readonly ENV?: Visit<PairInstruction>;
  readonly LABEL?: Visit<PairInstruction>;
  readonly ARG?: Visit<PairInstruction>;
  readonly CMD?: Visit<CommandInstruction>;
  readonly ENTRYPOINT?: Visit<CommandInstruction>;
  readonly SHELL?: Visit<ShellInstruction>;
  readonly HEALTHCHECK?: Visit<HealthcheckInstruction>;
  readonly EXPOSE?: Visit<WordsInstruction>;
  readonly VOLUME?: Visit<WordsInstruction>;
  readonly USER?: Visit<ValueInstruction>;
  readonly WORKDIR?: Visit<ValueInstruction>;
  readonly STOPSIGNAL?: Visit<ValueInstruction>;
  readonly MAINTAINER?: Visit<ValueInstruction>;
  readonly ONBUILD?: Visit<OnbuildInstruction>;
  readonly UNKNOWN?: Visit<UnknownInstruction>;
  /** Each script that a POSIX shell or bash would read: of RUN, and of CMD, ENTRYPOINT and HEALTHCHECK in shell form. */
  readonly script?: Visit<Script>;
  /** Each simple command of such a script, and RUN's exec form; `calls` limits it to those names. */
  readonly call?: Visit<ShellCall>;
  readonly calls?: readonly string[];
}

/** One rule: a row of the table, and what it does. */
export interface Rule {
  /** BuildKit's name where it has the check, else our own. */
  readonly id: string;
  /** Names of the same or a wider check elsewhere: hadolint, ShellCheck, dockerfile-utils. Ignoring one ignores the rule. */
  readonly aliases: readonly string[];
  readonly severity: Severity;
  /** Reported only when a configuration gives it a severity. */
  readonly optional?: true;
  /** One line: what it asks for. */
  readonly summary: string;
  /** Some of its findings carry a fix. */
  readonly fixable: boolean;
  readonly tag?: ProblemTag;
  /** What it finds keeps the file from being built: it is not meant by `skip=all`. */
  readonly blocking?: true;
  readonly checks: Checks;
  /** For the parser's own problems: the mechanical way out. */
  readonly repair?: (problem: Problem, file: Dockerfile) => Fix | undefined;
}
