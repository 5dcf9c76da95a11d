/** UseAddForArchive: ADD unpacks an archive by itself; COPY and a RUN that unpacks leave it in a layer. */
import type { Stage, Word } from '../../../syntax.ts';
import type { ShellCall } from '../../shell/script.ts';
import type { Rule, Scope } from '../../rule.ts';

const ARCHIVE = /\.(tar|tgz|tbz2?|txz|tar\.(gz|bz2|xz|lzma|zst)|gz|bz2|xz|lzma)$/i;
/** More archives in one stage are not looked at. */
const LIMIT = 50;
const UNPACKERS = ['gunzip', 'bunzip2', 'unxz', 'unlzma', 'uncompress', 'zcat'];

export const useAddForArchive: Rule = {
  id: 'UseAddForArchive',
  aliases: ['DL3010'],
  severity: 'information',
  summary: 'ADD unpacks archives of the context, not COPY and RUN',
  fixable: false,
  checks: { stage: check },
};

function check({ instructions }: Stage, scope: Scope): void {
  let looked = 0;
  let index = 0;
  for (const instruction of instructions) {
    index++;
    if (instruction.kind !== 'COPY' || instruction.from !== undefined) continue;
    if (!instruction.sources.some(isArchive)) continue;
    const archives = instruction.sources.filter(isArchive);
    if (++looked > LIMIT) return;
    const later = instructions.slice(index).filter(({ kind }) => kind === 'RUN');
    const unpacked = later.flatMap((run) =>
      (/tar|zip|xz|lzma|zcat|compress/.test(run.original)
        ? (scope.scriptOf(run)?.calls ?? [])
        : []
      ).filter(isUnpacking),
    );
    for (const { text, range } of archives) {
      const name = text.slice(text.lastIndexOf('/') + 1);
      const isDest = (path: string): boolean =>
        path.endsWith(name) || path === instruction.dest.text;
      if (!unpacked.some((call) => call.arguments.some((word) => isDest(word.text)))) continue;
      scope.report({
        message: `${name} stays in a layer, and a RUN unpacks it: ADD unpacks it by itself`,
        range,
      });
    }
  }
}

function isArchive({ text }: Word): boolean {
  return ARCHIVE.test(text);
}

function isUnpacking({ name, arguments: words }: ShellCall): boolean {
  if (UNPACKERS.includes(name)) return true;
  if (name === 'tar')
    return words.some(
      ({ text }, index) =>
        /^(-?[A-Za-z]*x|--extract$|--get$)/.test(text) && (index === 0 || text.startsWith('-')),
    );
  return (
    ['gzip', 'bzip2', 'xz', 'lzma'].includes(name) &&
    words.some(({ text }) => /^-\w*d|^--(de|un)compress$/.test(text))
  );
}
