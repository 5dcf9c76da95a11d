/** Says which words of an instruction the frontend expands variables in. */
import type { Instruction, Word } from '../../syntax.ts';

/** The words whose variables the frontend itself expands, in the order of the file. */
export function expandedWords(instruction: Instruction): Word[] {
  switch (instruction.kind) {
    case 'COPY':
    case 'ADD': {
      const { chown, chmod, sources, dest, excludes } = instruction;
      const checksum = instruction.kind === 'ADD' ? instruction.checksum : undefined;
      return present([chown, chmod, checksum, ...excludes, ...sources, dest]);
    }
    case 'ENV':
    case 'LABEL':
    case 'ARG':
      return present(instruction.pairs.flatMap(({ name, value }) => [name, value]));
    case 'EXPOSE':
    case 'VOLUME':
      return [...instruction.words];
    case 'USER':
    case 'WORKDIR':
    case 'STOPSIGNAL':
      return [instruction.value];
    case 'RUN':
      return present(
        instruction.mounts.flatMap(({ options }) => options.map(({ value }) => value)),
      );
    default:
      return [];
  }
}

function present(words: readonly (Word | undefined)[]): Word[] {
  return words.filter((word) => word !== undefined);
}
