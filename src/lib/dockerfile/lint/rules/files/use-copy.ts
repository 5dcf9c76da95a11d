/** UseCopy: files and folders of the build context are copied with COPY; ADD is for archives and addresses. */
import type { AddInstruction } from '../../../syntax.ts';
import { replace, safeFix } from '../../edits.ts';
import type { Rule } from '../../rule.ts';

const ARCHIVE =
  /\.(tar|tgz|tbz2?|txz|tzst|tar\.(gz|bz2|xz|zst|lzma|lz4|z)|gz|bz2|xz|lzma|zst)["']?$/i;
const ADDRESS = /^["']?(https?:|git@|git:|ssh:|ftp:)/i;

export const useCopy: Rule = {
  id: 'UseCopy',
  aliases: ['DL3020'],
  severity: 'error',
  summary: 'Files and folders are copied with COPY, not ADD',
  fixable: true,
  checks: {
    ADD: (add, { report }) => {
      if (add.sources.length === 0 || !add.sources.every(({ text }) => isPlain(text))) return;
      const { range, text } = add.keyword;
      const keyword = text === text.toLowerCase() ? 'copy' : 'COPY';
      report({
        message: 'ADD may unpack or fetch what it is given: COPY says that plain files are meant',
        range,
        ...(isCopy(add) ? { fix: safeFix('Change to COPY', replace(range, keyword)) } : {}),
      });
    },
  },
};

/** Neither an archive, nor an address, nor something that a variable or a pattern may make one. */
function isPlain(text: string): boolean {
  return (
    !ARCHIVE.test(text) &&
    !ADDRESS.test(text) &&
    !text.includes('$') &&
    !/[*?[]/.test(text.slice(-4))
  );
}

function isCopy({ flags }: AddInstruction): boolean {
  return flags.every(
    ({ name }) => name !== 'checksum' && name !== 'keep-git-dir' && name !== 'unpack',
  );
}
