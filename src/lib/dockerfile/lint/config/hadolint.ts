/**
 * Reads `.hadolint.yaml` with all its keys. What is wrong in it is reported with its line and key; the rest still counts.
 * Source: the configuration chapter of hadolint's README.
 */
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml';
import { suggestion } from '../../problems.ts';
import type { Severity } from '../../syntax.ts';
import type { LabelFormat, LintOptions } from '../rule.ts';
import { ALL_NAMES, rulesNamed } from '../table.ts';

/** From which severity on a problem makes the command fail. */
export type Threshold = Severity | 'off' | 'none';

export interface ConfigProblem {
  readonly message: string;
  /** From zero. */
  readonly line: number;
  readonly character: number;
  /** The key that it is about, with dots between levels; empty for the whole file. */
  readonly key: string;
}

export interface Configuration {
  readonly severities: ReadonlyMap<string, Severity | 'off'>;
  readonly trustedRegistries: readonly string[];
  readonly labelSchema: ReadonlyMap<string, LabelFormat>;
  readonly strictLabels: boolean;
  readonly disableIgnorePragma: boolean;
  readonly failureThreshold: Threshold;
  readonly noFail: boolean;
  readonly noColor: boolean;
  /** A format's name, as written. */
  readonly format: string | undefined;
  readonly problems: readonly ConfigProblem[];
}

const LEVELS: ReadonlyMap<string, Severity> = new Map([
  ['error', 'error'],
  ['warning', 'warning'],
  ['info', 'information'],
  ['style', 'hint'],
]);

const LABEL_FORMATS: ReadonlyMap<string, LabelFormat> = new Map([
  ['text', 'text'],
  ['rawtext', 'text'],
  ['rfc3339', 'rfc3339'],
  ['semver', 'semver'],
  ['url', 'url'],
  ['hash', 'hash'],
  ['spdx', 'spdx'],
  ['email', 'email'],
]);

const KEYS = [
  'failure-threshold',
  'format',
  'ignored',
  'label-schema',
  'no-color',
  'no-fail',
  'override',
  'strict-labels',
  'disable-ignore-pragma',
  'trustedRegistries',
];

/** More text than this is no configuration. */
const LENGTH_LIMIT = 1_000_000;

/** Reads a configuration. Never throws. */
export function readConfiguration(text: string): Configuration {
  return new Reader(text).read();
}

/** The options that a configuration asks for, added to others. */
export function withConfiguration(options: LintOptions, configuration: Configuration): LintOptions {
  const { severities, trustedRegistries, labelSchema, strictLabels, disableIgnorePragma } =
    configuration;
  return {
    ...options,
    severities,
    trustedRegistries,
    labelSchema,
    strictLabels,
    disableIgnorePragma,
  };
}

/** The threshold of a name: `error`, `warning`, `info`, `style`, `ignore`, `none`. */
export function thresholdOf(name: string): Threshold | undefined {
  if (name === 'none') return 'none';
  return name === 'ignore' ? 'off' : LEVELS.get(name);
}

class Reader {
  private readonly lines = new LineCounter();
  private readonly problems: ConfigProblem[] = [];
  private readonly severities = new Map<string, Severity | 'off'>();
  private readonly labelSchema = new Map<string, LabelFormat>();
  private readonly text: string;
  private trustedRegistries: readonly string[] = [];
  private readonly flags = new Map<string, boolean>();
  private threshold: Threshold = 'information';
  private format: string | undefined;

  constructor(text: string) {
    this.text = text;
  }

  read(): Configuration {
    this.readText();
    const { severities, trustedRegistries, labelSchema, problems, format } = this;
    const flag = (name: string): boolean => this.flags.get(name) ?? false;
    return {
      severities,
      trustedRegistries,
      labelSchema,
      strictLabels: flag('strict-labels'),
      disableIgnorePragma: flag('disable-ignore-pragma'),
      failureThreshold: this.threshold,
      noFail: flag('no-fail'),
      noColor: flag('no-color'),
      format,
      problems: problems.sort((a, b) => a.line - b.line || a.character - b.character),
    };
  }

  private readText(): void {
    if (this.text.length > LENGTH_LIMIT) {
      this.problems.push({
        message: 'this is too long for a configuration',
        line: 0,
        character: 0,
        key: '',
      });
      return;
    }
    const document = parseDocument(this.text, { lineCounter: this.lines, uniqueKeys: true });
    for (const { message, pos } of document.errors) {
      const first = message.split('\n')[0] ?? message;
      this.reportAt(pos[0], '', first.replace(/ at line \d+, column \d+:?$/, ''));
    }
    const { contents } = document;
    if (isMap<Node, Node>(contents)) this.readKeys(contents);
    else if (contents !== null && textOf(contents) !== '' && document.errors.length === 0)
      this.reportAt(0, '', 'a configuration has keys and values');
  }

  private readKeys(map: YAMLMap<Node, Node | null>): void {
    // What is ignored is so whatever an override says: it is read last.
    const order = (name: string): number => (name === 'ignored' ? 1 : 0);
    const entries = map.items.map(({ key, value }) => ({ name: textOf(key) ?? '', key, value }));
    for (const entry of entries.sort((a, b) => order(a.name) - order(b.name))) this.readKey(entry);
  }

  private readKey({ name, key, value }: { name: string; key: Node; value: Node | null }): void {
    switch (name) {
      case 'ignored':
        for (const rule of this.strings(value, name)) this.setSeverity(rule, 'off', name);
        return;
      case 'override':
        this.readOverride(value);
        return;
      case 'trustedRegistries':
      case 'allowedRegistries':
        this.trustedRegistries = this.strings(value, name).map(({ text }) => text);
        return;
      case 'label-schema':
        this.readLabels(value);
        return;
      case 'failure-threshold':
        this.readThreshold(value);
        return;
      case 'format':
        this.format = textOf(value);
        return;
      case 'no-fail':
      case 'no-color':
      case 'strict-labels':
      case 'disable-ignore-pragma':
        this.readFlag(name, value);
        return;
      default:
        this.report(key, name, `there is no key '${name}'${suggestion(name, KEYS)}`);
    }
  }

  private readOverride(value: Node | null): void {
    for (const { key, value: list } of this.entries(value, 'override')) {
      const name = textOf(key) ?? '';
      const severity = LEVELS.get(name);
      if (severity === undefined) {
        this.report(
          key,
          `override.${name}`,
          `there is no severity '${name}': error, warning, info or style`,
        );
      } else
        for (const rule of this.strings(list, `override.${name}`))
          this.setSeverity(rule, severity, `override.${name}`);
    }
  }

  private setSeverity(
    { text, node }: { text: string; node: Node },
    severity: Severity | 'off',
    key: string,
  ): void {
    const rules = rulesNamed(text);
    for (const { id } of rules) this.severities.set(id, severity);
    // A number that only ShellCheck has: kept for its findings.
    if (rules.length === 0 && /^SC\d{4}$/i.test(text))
      this.severities.set(text.toUpperCase(), severity);
    else if (rules.length === 0)
      this.report(node, key, `there is no rule '${text}'${suggestion(text, ALL_NAMES)}`);
  }

  private readLabels(value: Node | null): void {
    for (const { key, value: format } of this.entries(value, 'label-schema')) {
      const name = textOf(key) ?? '';
      const known = LABEL_FORMATS.get((textOf(format) ?? '').toLowerCase());
      if (known !== undefined) this.labelSchema.set(name, known);
      else {
        const formats = [...new Set(LABEL_FORMATS.values())].join(', ');
        this.report(format ?? key, `label-schema.${name}`, `a label's format is one of ${formats}`);
      }
    }
  }

  private readThreshold(value: Node | null): void {
    const threshold = thresholdOf(textOf(value) ?? '');
    if (threshold !== undefined) this.threshold = threshold;
    else
      this.report(
        value,
        'failure-threshold',
        'the threshold is error, warning, info, style, ignore or none',
      );
  }

  private readFlag(name: string, value: Node | null): void {
    const flag = isScalar(value) ? value.value : undefined;
    if (typeof flag === 'boolean') this.flags.set(name, flag);
    else this.report(value, name, `${name} is true or false`);
  }

  private entries(value: Node | null, key: string): { key: Node; value: Node | null }[] {
    if (isMap<Node, Node | null>(value))
      return value.items.map((item) => ({ key: item.key, value: item.value }));
    if (value !== null && textOf(value) !== '')
      this.report(value, key, `${key} has keys and values of its own`);
    return [];
  }

  /** A text, or a list of texts. */
  private strings(value: Node | null, key: string): { text: string; node: Node }[] {
    if (value === null) return [];
    const items: readonly Node[] = isSeq<Node>(value) ? value.items : [value];
    return items.flatMap((node) => {
      const text = textOf(node);
      if (text !== undefined) return text === '' ? [] : [{ text, node }];
      this.report(node, key, `${key} is a list of texts`);
      return [];
    });
  }

  private report(node: Node | null, key: string, message: string): void {
    this.reportAt(node?.range?.[0] ?? 0, key, message);
  }

  private reportAt(offset: number, key: string, message: string): void {
    const { line, col } = this.lines.linePos(offset);
    this.problems.push({
      message,
      line: Math.max(0, line - 1),
      character: Math.max(0, col - 1),
      key,
    });
  }
}

/** A scalar's text; empty for null, undefined for lists and maps. */
function textOf(node: Node | null): string | undefined {
  if (!isScalar(node)) return undefined;
  const { value } = node;
  if (value === null || value === undefined) return '';
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;
}
