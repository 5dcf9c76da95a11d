/** Says whether two Dockerfiles mean the same: the formatter's proof. White space counts wherever the builder or a shell sees it. */
import { splitBlanks, splitQuoted } from '../arguments.ts';
import { atomsOf } from '../shell/atoms.ts';
import { sourceOf } from '../shell/scripts.ts';
import type { Dockerfile, Heredoc, Instruction, Word } from '../syntax.ts';
import { trimSpaceEnd } from '../../text/characters.ts';
import { jsonAtoms, Scripts } from './atoms.ts';

export function sameMeaning(a: Dockerfile, b: Dockerfile): boolean {
  const left = meaningOf(a);
  const right = meaningOf(b);
  return left.length === right.length && left.every((line, index) => line === right[index]);
}

/** One line for each directive, comment and instruction: what stays the same under formatting. */
export function meaningOf(file: Dockerfile): string[] {
  const { directives, comments, instructions, problems } = file;
  const { syntax, escape, check } = directives;
  const scripts = new Scripts(file);
  return [
    ...[syntax, escape, check].map((item) => JSON.stringify([item?.name, item?.value])),
    ...comments.map(({ text }) => text.slice(0, trimSpaceEnd(text, 0, text.length))),
    ...instructions.map((instruction) =>
      JSON.stringify(instructionMeaning(instruction, { file, scripts })),
    ),
    ...problems
      .filter(({ severity }) => severity === 'error')
      .map(({ code }) => code)
      .sort(),
  ];
}

function instructionMeaning(
  instruction: Instruction,
  context: { readonly file: Dockerfile; readonly scripts: Scripts },
): unknown[] {
  const { kind, flags, keyword, comments } = instruction;
  const names = flags
    .map(({ name, value }) => [name, value?.text] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const inner =
    instruction.kind === 'ONBUILD' && instruction.instruction !== undefined
      ? instructionMeaning(instruction.instruction, context)
      : argumentMeaning(instruction, context);
  const bodies = heredocsOf(instruction).map(({ name, content, expand, fd }) => [
    name,
    content,
    expand,
    fd,
  ]);
  return [kind, kind === 'UNKNOWN' ? keyword.text : '', names, inner, bodies, comments];
}

function heredocsOf(instruction: Instruction): readonly Heredoc[] {
  return 'heredocs' in instruction ? instruction.heredocs : [];
}

function argumentMeaning(
  instruction: Instruction,
  { file, scripts }: { readonly file: Dockerfile; readonly scripts: Scripts },
): unknown {
  const { argument } = instruction;
  switch (instruction.kind) {
    case 'RUN':
    case 'CMD':
    case 'ENTRYPOINT':
      return commandMeaning(instruction, instruction.command, scripts);
    case 'HEALTHCHECK': {
      const { command } = instruction;
      return command === undefined ? argument.text : commandMeaning(instruction, command, scripts);
    }
    case 'ENV':
    case 'LABEL':
    case 'ARG':
      if (instruction.pairs.some(({ legacy }) => legacy)) {
        return instruction.pairs.map(({ name, value }) => [name.text, value?.text]);
      }
      return texts(splitQuoted(whole(argument), file.directives.escapeCharacter));
    case 'FROM':
      return [
        instruction.image.text,
        instruction.name?.text,
        texts(splitBlanks(whole(argument))).length,
      ];
    case 'COPY':
    case 'ADD':
      return [texts(instruction.sources), instruction.dest.text, isJson(argument)];
    case 'VOLUME':
    case 'EXPOSE':
    case 'SHELL':
      return [texts(instruction.words), isJson(argument)];
    default:
      return argument.text;
  }
}

function whole(word: Word): { source: ReturnType<typeof sourceOf>; start: number; end: number } {
  return { source: sourceOf(word), start: 0, end: word.text.length };
}

function texts(words: readonly Word[]): string[] {
  return words.map(({ text }) => text);
}

function isJson(argument: Word): boolean {
  return jsonAtoms(argument) !== undefined;
}

function commandMeaning(
  instruction: Instruction,
  command:
    | { readonly form: 'exec'; readonly words: readonly Word[] }
    | { readonly form: 'shell'; readonly command: Word },
  scripts: Scripts,
): unknown {
  if (command.form === 'exec') return texts(command.words);
  const script = scripts.get(instruction)?.script;
  if (script === undefined || script.problems.length > 0) return command.command.text;
  return atomsOf(script).atoms.map(({ kind, text }) => [kind, text]);
}
