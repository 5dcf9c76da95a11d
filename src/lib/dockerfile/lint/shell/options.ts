/** Reads a command's arguments as options and operands, as getopt does: `-yq`, `--yes`, `--name=value`, `--`. */
import type { ShellWord } from '../../shell/syntax.ts';
import type { ShellCall } from './script.ts';

export interface Option {
  /** Without dashes; each letter of `-yq` is an option of its own. */
  readonly name: string;
  readonly word: ShellWord;
  readonly value: string | undefined;
}

export interface CommandLine {
  readonly options: readonly Option[];
  /** What is no option and no option's value. */
  readonly operands: readonly ShellWord[];
}

/** Reads the arguments; `values` are the options (without dashes) that take the next word, or the rest of theirs. */
export function readCommandLine(call: ShellCall, values: readonly string[] = []): CommandLine {
  const options: Option[] = [];
  const operands: ShellWord[] = [];
  const words = call.arguments;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as ShellWord;
    const { text } = word;
    if (text === '--') {
      operands.push(...words.slice(at + 1));
      break;
    }
    if (!text.startsWith('-') || text === '-') operands.push(word);
    else if (text.startsWith('--')) at += readLong(words, at, { values, options });
    else at += readShort(words, at, { values, options });
  }
  return { options, operands };
}

interface Target {
  readonly values: readonly string[];
  readonly options: Option[];
}

/** Both give how many more words they took. */
function readLong(words: readonly ShellWord[], at: number, { values, options }: Target): number {
  const word = words[at] as ShellWord;
  const text = (word.value ?? word.text).slice(2);
  const equals = text.indexOf('=');
  if (equals >= 0) {
    options.push({ name: text.slice(0, equals), word, value: text.slice(equals + 1) });
    return 0;
  }
  const takes = values.includes(text);
  options.push({ name: text, word, value: takes ? words[at + 1]?.text : undefined });
  return takes ? 1 : 0;
}

function readShort(words: readonly ShellWord[], at: number, { values, options }: Target): number {
  const word = words[at] as ShellWord;
  const text = word.text.slice(1);
  // Go's and Java's programs have long options with one dash.
  if (values.includes(text) && text.length > 1) {
    options.push({ name: text, word, value: words[at + 1]?.text });
    return 1;
  }
  const assigned = /^([A-Za-z])=(.*)$/.exec(text);
  if (assigned !== null) {
    options.push({ name: assigned[1] ?? '', word, value: assigned[2] });
    return 0;
  }
  for (const [index, letter] of Array.from(text).entries()) {
    if (!values.includes(letter)) {
      options.push({ name: letter, word, value: undefined });
      continue;
    }
    const rest = text.slice(index + 1);
    options.push({ name: letter, word, value: rest === '' ? words[at + 1]?.text : rest });
    return rest === '' ? 1 : 0;
  }
  return 0;
}

/** The command line has one of these options. */
export function hasOption({ options }: CommandLine, ...names: string[]): boolean {
  return options.some(({ name }) => names.includes(name));
}

/** As `hasOption`, and true for a variable that may hold any option: `$APT_FLAGS`. */
export function mayHaveOption(line: CommandLine, ...names: string[]): boolean {
  return hasOption(line, ...names) || line.operands.some(({ text }) => OPTIONS.test(text));
}

const OPTIONS = /^\$\{?\w*(flags|opts|options|args)\w*\}?$/i;

/** An operand that names packages which cannot be read here: a variable, a command, a pattern. */
export function isOpen({ value }: ShellWord): boolean {
  return value === undefined;
}
