/**
 * Copies of tree nodes with every offset moved, for instructions behind an edit. Written out by kind, since this is the
 * price of each keystroke in a long file; a property test compares the result with a whole parse.
 */
import type {
  Command,
  Comment,
  Flag,
  Heredoc,
  Instruction,
  Mount,
  Pair,
  Problem,
  Range,
  Word,
} from '../syntax.ts';

export interface Move {
  readonly offset: number;
  readonly line: number;
}

export function moveInstruction(instruction: Instruction, by: number): Instruction {
  const base = {
    range: moveRange(instruction.range, by),
    keyword: moveWord(instruction.keyword, by),
    flags: moveAll(instruction.flags, by, moveFlag),
    argument: moveWord(instruction.argument, by),
  };
  switch (instruction.kind) {
    case 'FROM': {
      const { image, platform, name } = instruction;
      return {
        ...instruction,
        ...base,
        image: moveWord(image, by),
        platform: moveMaybe(platform, by),
        name: moveMaybe(name, by),
      };
    }
    case 'RUN': {
      const { command, heredocs, mounts, devices } = instruction;
      return {
        ...instruction,
        ...base,
        command: moveCommand(command, by),
        heredocs: moveAll(heredocs, by, moveHeredoc),
        mounts: moveAll(mounts, by, moveMount),
        devices: moveAll(devices, by, moveWord),
      };
    }
    case 'COPY':
      return {
        ...instruction,
        ...base,
        ...moveTransfer(instruction, by),
        from: moveMaybe(instruction.from, by),
      };
    case 'ADD':
      return {
        ...instruction,
        ...base,
        ...moveTransfer(instruction, by),
        checksum: moveMaybe(instruction.checksum, by),
      };
    case 'ENV':
    case 'LABEL':
    case 'ARG':
      return { ...instruction, ...base, pairs: moveAll(instruction.pairs, by, movePair) };
    case 'CMD':
    case 'ENTRYPOINT':
      return { ...instruction, ...base, command: moveCommand(instruction.command, by) };
    case 'HEALTHCHECK': {
      const { command } = instruction;
      return { ...instruction, ...base, command: command && moveCommand(command, by) };
    }
    case 'SHELL':
    case 'EXPOSE':
    case 'VOLUME':
      return { ...instruction, ...base, words: moveAll(instruction.words, by, moveWord) };
    case 'USER':
    case 'WORKDIR':
    case 'STOPSIGNAL':
    case 'MAINTAINER':
      return { ...instruction, ...base, value: moveWord(instruction.value, by) };
    case 'ONBUILD': {
      const { instruction: inner } = instruction;
      return { ...instruction, ...base, instruction: inner && moveInstruction(inner, by) };
    }
    case 'UNKNOWN':
      return { ...instruction, ...base };
  }
}

function moveTransfer(
  instruction: Extract<Instruction, { kind: 'COPY' | 'ADD' }>,
  by: number,
): Pick<typeof instruction, 'sources' | 'dest' | 'heredocs' | 'chown' | 'chmod' | 'excludes'> {
  const { sources, dest, heredocs, chown, chmod, excludes } = instruction;
  return {
    sources: moveAll(sources, by, moveWord),
    dest: moveWord(dest, by),
    heredocs: moveAll(heredocs, by, moveHeredoc),
    chown: moveMaybe(chown, by),
    chmod: moveMaybe(chmod, by),
    excludes: moveAll(excludes, by, moveWord),
  };
}

export function moveComment({ text, range }: Comment, by: number): Comment {
  return { text, range: moveRange(range, by) };
}

export function moveProblem({ code, message, range, severity }: Problem, move: Move): Problem {
  const position = ({
    offset,
    line,
    character,
  }: Problem['range']['start']): typeof range.start => ({
    offset: offset + move.offset,
    line: line + move.line,
    character,
  });
  return {
    code,
    message,
    range: { start: position(range.start), end: position(range.end) },
    severity,
  };
}

/** Empty lists are shared and stay as they are. */
export function moveAll<T>(
  nodes: readonly T[],
  by: number,
  move: (node: T, by: number) => T,
): readonly T[] {
  if (nodes.length === 0) return nodes;
  return nodes.map((node) => move(node, by));
}

export function moveRange({ start, end }: Range, by: number): Range {
  return { start: start + by, end: end + by };
}

function moveWord({ text, range, breaks }: Word, by: number): Word {
  return {
    text,
    range: { start: range.start + by, end: range.end + by },
    breaks:
      breaks.length === 0
        ? breaks
        : breaks.map(({ index, offset }) => ({ index, offset: offset + by })),
  };
}

function moveMaybe(word: Word | undefined, by: number): Word | undefined {
  return word === undefined ? undefined : moveWord(word, by);
}

function moveFlag({ name, nameRange, value, range }: Flag, by: number): Flag {
  return {
    name,
    nameRange: moveRange(nameRange, by),
    value: moveMaybe(value, by),
    range: moveRange(range, by),
  };
}

function moveCommand(command: Command, by: number): Command {
  if (command.form === 'exec') return { form: 'exec', words: moveAll(command.words, by, moveWord) };
  return { form: 'shell', command: moveWord(command.command, by) };
}

function moveHeredoc(heredoc: Heredoc, by: number): Heredoc {
  const { range, contentRange } = heredoc;
  return { ...heredoc, range: moveRange(range, by), contentRange: moveRange(contentRange, by) };
}

function movePair({ name, value, legacy, range }: Pair, by: number): Pair {
  return {
    name: moveWord(name, by),
    value: moveMaybe(value, by),
    legacy,
    range: moveRange(range, by),
  };
}

function moveMount(mount: Mount, by: number): Mount {
  return {
    ...mount,
    options: mount.options.map(({ key, keyRange, value }) => ({
      key,
      keyRange: moveRange(keyRange, by),
      value: moveMaybe(value, by),
    })),
    range: moveRange(mount.range, by),
    from: moveMaybe(mount.from, by),
    source: moveMaybe(mount.source, by),
    target: moveMaybe(mount.target, by),
    id: moveMaybe(mount.id, by),
    env: moveMaybe(mount.env, by),
  };
}
