/**
 * Puts variables into a string as the Compose specification's interpolation says: `$NAME`, `${NAME}`,
 * the modifiers `:- - :? ? :+ +` with nested words, and `$$` for a dollar. Pure; never throws.
 */

/** A fault of a template; `start` and `end` are indices in the text. */
export interface InterpolationFault {
  readonly message: string;
  readonly start: number;
  readonly end: number;
}

export interface Interpolation {
  /** The text with its variables put in; a faulty reference stays as it is written. */
  readonly value: string;
  readonly faults: readonly InterpolationFault[];
  /** Names that have a value, each once. */
  readonly used: readonly string[];
  /** Names that have none and no default: Compose warns and takes an empty string. */
  readonly unset: readonly string[];
}

const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const DEPTH_LIMIT = 50;

/** Interpolates a text with the variables that `env` gives. */
export function interpolate(
  text: string,
  env: (name: string) => string | undefined,
): Interpolation {
  if (!text.includes('$')) return { value: text, faults: [], used: [], unset: [] };
  const template = new Template(text, env);
  const value = template.read();
  const { faults, used, unset } = template;
  return { value, faults, used: [...used], unset: [...unset] };
}

type Modifier = '' | ':-' | '-' | ':?' | '?' | ':+' | '+';

class Template {
  readonly faults: InterpolationFault[] = [];
  readonly used = new Set<string>();
  readonly unset = new Set<string>();
  private readonly text: string;
  private readonly env: (name: string) => string | undefined;
  private at = 0;
  private depth = 0;

  constructor(text: string, env: (name: string) => string | undefined) {
    this.text = text;
    this.env = env;
  }

  read(): string {
    return this.until('');
  }

  /** Reads to the stop character, which is left where it is, or to the end. */
  private until(stop: '' | '}'): string {
    const parts: string[] = [];
    while (this.at < this.text.length && this.text[this.at] !== stop) {
      const start = this.at;
      if (this.text[start] === '$') {
        parts.push(this.reference());
        continue;
      }
      while (
        this.at < this.text.length &&
        this.text[this.at] !== '$' &&
        this.text[this.at] !== stop
      )
        this.at++;
      parts.push(this.text.slice(start, this.at));
    }
    return parts.join('');
  }

  private reference(): string {
    const start = this.at++;
    if (this.text[this.at] === '$') {
      this.at++;
      return '$';
    }
    if (this.text[this.at] === '{') return this.braced(start);
    const name = this.name();
    if (name === '')
      return this.fault('a dollar must be followed by a name, a brace or a dollar', start);
    return this.lookup(name) ?? this.missing(name);
  }

  private braced(start: number): string {
    this.at++;
    const name = this.name();
    if (name === '')
      return this.fault('${…} needs a name that begins with a letter or an underscore', start);
    const modifier = this.modifier();
    if (modifier === undefined) return this.fault(`\${${name}…} has an unknown modifier`, start);
    if (this.depth >= DEPTH_LIMIT) return this.fault('variables are nested too deeply', start);
    this.depth++;
    const branch = this.branch(name, modifier);
    this.depth--;
    if (this.text[this.at] !== '}')
      return this.fault(`\${${name} is not closed: '}' is missing`, start);
    this.at++;
    return branch.resolve(start);
  }

  /** Reads the modifier's word; what the reference stands for is settled once its brace is closed. */
  private branch(name: string, modifier: Modifier): { resolve: (start: number) => string } {
    const value = this.lookup(name);
    const empty = value === undefined || (modifier.startsWith(':') && value === '');
    const wanted = modifier.endsWith('+') ? !empty : empty;
    const word = modifier === '' ? '' : this.word({ wanted });
    if (modifier === '') return { resolve: () => value ?? this.missing(name) };
    if (modifier.endsWith('+')) return { resolve: () => (empty ? '' : word) };
    if (!empty) return { resolve: () => value };
    if (modifier.endsWith('-')) return { resolve: () => word };
    const reason = word === '' ? '' : `: ${word}`;
    const message = `required variable ${name} is missing a value${reason}`;
    return { resolve: (start) => this.fault(message, start) };
  }

  /** A modifier's word; the variables of one that is not taken are not asked for. */
  private word({ wanted }: { wanted: boolean }): string {
    if (wanted) return this.until('}');
    const start = this.at;
    let open = 0;
    for (; this.at < this.text.length; this.at++) {
      if (this.text.startsWith('${', this.at)) open++;
      else if (this.text[this.at] === '}' && open-- === 0) break;
    }
    return this.text.slice(start, this.at);
  }

  private modifier(): Modifier | undefined {
    const found = (['', ':-', '-', ':?', '?', ':+', '+'] as const).findLast((modifier) =>
      modifier === ''
        ? this.text[this.at] === '}' || this.at >= this.text.length
        : this.text.startsWith(modifier, this.at),
    );
    this.at += found?.length ?? 0;
    return found;
  }

  private name(): string {
    NAME.lastIndex = this.at;
    const name = NAME.exec(this.text)?.[0] ?? '';
    this.at += name.length;
    return name;
  }

  private lookup(name: string): string | undefined {
    const value = this.env(name);
    if (value !== undefined) this.used.add(name);
    return value;
  }

  private missing(name: string): string {
    this.unset.add(name);
    return '';
  }

  private fault(message: string, start: number): string {
    this.faults.push({ message, start, end: Math.max(this.at, start + 1) });
    return this.text.slice(start, this.at);
  }
}
