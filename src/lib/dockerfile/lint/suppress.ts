/**
 * Reads what a file says about its own linting: `# hadolint ignore=…`, `# hadolint global ignore=…`, `# pinnace ignore=…`,
 * `# shellcheck disable=…` and the directive `# check=skip=…;error=true`. Names may be any rule's id or alias.
 */
import { linesAround } from '../../text/lines.ts';
import type { Comment, Dockerfile, Range, Severity } from '../syntax.ts';
import { nearestFix, nearHint } from './analysis/near.ts';
import { remove, suggestedFix } from './edits.ts';
import type { LintFinding, LintOptions, Rule } from './rule.ts';
import { ignorePragma, invalidCheckDirective, unknownRule } from './rules/style/pragmas.ts';
import { ALL_NAMES, RULES, rulesNamed } from './table.ts';

export interface Suppressions {
  /** True when a comment says that a finding at a place is not wanted: of a rule, or of a ShellCheck number. */
  ignores(rule: Rule | string, range: Range): boolean;
  /** The options' severities and what the directive adds to them. */
  readonly severities: ReadonlyMap<string, Severity | 'off'>;
  readonly failOnAny: boolean;
  /** What is wrong with these comments themselves. */
  readonly findings: readonly (LintFinding & { readonly rule: Rule })[];
}

const PRAGMA =
  /^#\s*(?:(?:hadolint|pinnace)\s+(global\s+)?ignore\s*=\s*|(shellcheck)\s+disable\s*=\s*)([^#]*)/i;

/** Stands for every rule, ShellCheck's own numbers as well. */
const ALL = 'all';

interface Name {
  readonly text: string;
  readonly range: Range;
}

/** Reads the comments and the check directive. */
export function readSuppressions(file: Dockerfile, options: LintOptions): Suppressions {
  return new Reader(file, options).read();
}

class Reader {
  private readonly file: Dockerfile;
  private readonly options: LintOptions;
  private readonly severities: Map<string, Severity | 'off'>;
  private readonly everywhere = new Set<Rule | string>();
  /** By the start of the instruction. */
  private readonly locals = new Map<number, Set<Rule | string>>();
  private readonly findings: (LintFinding & { readonly rule: Rule })[] = [];
  private failOnAny = false;

  constructor(file: Dockerfile, options: LintOptions) {
    this.file = file;
    this.options = options;
    this.severities = new Map(options.severities);
  }

  read(): Suppressions {
    this.readDirective();
    for (const comment of this.file.comments) this.readComment(comment);
    const { everywhere, locals, severities, failOnAny, findings } = this;
    return {
      severities,
      failOnAny,
      findings,
      ignores: (rule, range) => {
        const isIn = (set: ReadonlySet<Rule | string> | undefined): boolean =>
          set !== undefined &&
          (set.has(rule) ||
            (typeof rule === 'string' &&
              (set.has(ALL) || rulesNamed(rule).some((each) => set.has(each)))));
        if (isIn(everywhere)) return true;
        if (locals.size === 0) return false;
        return isIn(locals.get(this.instructionFor(range)?.start ?? -1));
      },
    };
  }

  private readComment({ text, range }: Comment): void {
    const match = PRAGMA.exec(text);
    if (match === null) return;
    const list = match[3] ?? '';
    const names = splitNames(list, range.start + match[0].length - list.length);
    this.findings.push({
      rule: ignorePragma,
      message: 'rules are ignored by a comment here',
      range,
      fix: suggestedFix('Remove the comment', remove(linesAround(this.file.text, range))),
    });
    if (this.options.disableIgnorePragma) return;
    const rules = new Set(names.flatMap((name) => this.resolve(name)));
    if (match[1] !== undefined) for (const rule of rules) this.everywhere.add(rule);
    else {
      const target = this.instructionFor(range);
      if (target === undefined) return;
      const known = this.locals.get(target.start) ?? new Set<Rule | string>();
      for (const rule of rules) known.add(rule);
      this.locals.set(target.start, known);
    }
  }

  /** The instruction that a comment stands in, or else the next one. */
  private instructionFor({ start }: Range): Range | undefined {
    const { instructions } = this.file;
    let low = 0;
    let high = instructions.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((instructions[middle]?.range.end ?? 0) < start) low = middle + 1;
      else high = middle;
    }
    return instructions[low]?.range;
  }

  private resolve({ text, range }: Name): readonly (Rule | string)[] {
    if (text.toLowerCase() === ALL)
      return [...RULES.filter(({ blocking }) => blocking !== true), ALL];
    const rules = rulesNamed(text);
    // ShellCheck has hundreds of rules more.
    if (rules.length === 0 && /^SC\d{4}$/i.test(text)) return [text.toUpperCase()];
    if (rules.length === 0) {
      // The number of a rule is not mistyped by a digit: no other is nearer in meaning.
      const names = /^DL\d{4}$/i.test(text) ? [] : ALL_NAMES;
      const message = `there is no rule '${text}'${nearHint(text, names)}`;
      this.findings.push({ rule: unknownRule, message, range, ...nearestFix(text, range, names) });
    }
    return rules;
  }

  private readDirective(): void {
    const { check } = this.file.directives;
    if (check === undefined) return;
    let at = check.valueRange.start;
    for (const option of check.value.split(';')) {
      this.readOption(option, at);
      at += option.length + 1;
    }
  }

  private readOption(option: string, start: number): void {
    const equals = option.indexOf('=');
    const key = (equals < 0 ? option : option.slice(0, equals)).trim().toLowerCase();
    const value = equals < 0 ? '' : option.slice(equals + 1);
    const range = { start, end: start + option.length };
    if (key === '' && option.trim() === '') return;
    const names = splitNames(value, start + equals + 1);
    if (key === 'skip') {
      for (const rule of names.flatMap((name) => this.resolve(name))) this.everywhere.add(rule);
    } else if (key === 'experimental') {
      for (const rule of names.flatMap((name) => this.resolve(name)))
        if (
          typeof rule !== 'string' &&
          rule.optional === true &&
          isExperimental(rule) &&
          !this.severities.has(rule.id)
        )
          this.severities.set(rule.id, rule.severity);
    } else if (key === 'error' && /^\s*(true|false|1|0)\s*$/i.test(value)) {
      this.failOnAny = /true|1/i.test(value);
    } else {
      const message =
        key === 'error'
          ? 'error is true or false'
          : `check takes skip=…, experimental=… and error=true, not '${key}'`;
      this.findings.push({ rule: invalidCheckDirective, message, range });
    }
  }
}

/** BuildKit's own: the others that are off by default are not meant by `experimental=all`. */
function isExperimental({ aliases }: Rule): boolean {
  return aliases.length === 0;
}

function splitNames(list: string, start: number): Name[] {
  const names: Name[] = [];
  for (const match of list.matchAll(/[A-Za-z0-9_-]+/g)) {
    const at = start + match.index;
    names.push({ text: match[0], range: { start: at, end: at + match[0].length } });
  }
  return names;
}
