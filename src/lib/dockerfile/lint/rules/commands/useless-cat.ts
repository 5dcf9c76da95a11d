/** UselessCat: a file is given to a command directly, not through cat and a pipe. */
import type { Pipeline } from '../../../shell/syntax.ts';
import { insert, remove, safeFix } from '../../edits.ts';
import type { Fix, Rule } from '../../rule.ts';

export const uselessCat: Rule = {
  id: 'UselessCat',
  aliases: ['SC2002'],
  severity: 'hint',
  summary: 'A file is read with <, not through cat and a pipe',
  fixable: true,
  tag: 'unnecessary',
  checks: {
    script: ({ pipelines }, { report }) => {
      for (const pipeline of pipelines) {
        const [first, second] = pipeline.commands;
        if (first?.kind !== 'simple' || second === undefined || first.name?.value !== 'cat')
          continue;
        const [file, more] = first.arguments;
        if (
          file === undefined ||
          more !== undefined ||
          first.redirects.length > 0 ||
          /^-/.test(file.text)
        )
          continue;
        if (file.parts.some(({ kind }) => SEVERAL.has(kind)) || file.braces.length > 0) continue;
        const fix = fixOf(pipeline);
        const message = `cat is not needed: the command can read ${file.text} itself, with < ${file.text}`;
        report({ message, range: file.range, ...(fix === undefined ? {} : { fix }) });
      }
    },
  },
};

/** What may be no file, or more than one. */
const SEVERAL = new Set(['glob', 'parameter', 'command']);

function fixOf({ commands }: Pipeline): Fix | undefined {
  const [first, second] = commands;
  if (first?.kind !== 'simple' || second?.kind !== 'simple' || second.redirects.length > 0)
    return undefined;
  const file = first.arguments[0]?.text ?? '';
  const removal = remove({ start: first.range.start, end: second.range.start });
  return safeFix('Read the file directly', removal, insert(second.range.end, ` < ${file}`));
}
