/** InvalidPort: EXPOSE names ports from 0 to 65535, or ranges of them. */
import { rangeInWord } from '../../../source.ts';
import { replace, suggestedFix } from '../../edits.ts';
import type { Range } from '../../../syntax.ts';
import type { Fix, Rule } from '../../rule.ts';

export const invalidPort: Rule = {
  id: 'InvalidPort',
  aliases: ['DL3011', 'INVALID_PORT'],
  severity: 'error',
  blocking: true,
  summary: 'A port is a number from 0 to 65535, or a range of them',
  fixable: true,
  checks: {
    EXPOSE: ({ words }, { deferred, report }) => {
      for (const word of words) {
        const { text } = word;
        if (text.includes('$')) continue;
        const start = text.lastIndexOf(':') + 1;
        const slash = text.indexOf('/', start);
        const end = slash < 0 ? text.length : slash;
        const port = text.slice(start, end);
        const message = faultOf(port.replaceAll(/["']/g, ''));
        if (message === undefined) continue;
        const range = rangeInWord(word, start, end);
        const fix = turnedFix(port, range);
        // What is deferred only fails for those who build on the image.
        const severity = deferred ? 'warning' : 'error';
        report({ message, range, severity, ...(fix === undefined ? {} : { fix }) });
      }
    },
  },
};

/** A range the other way round. */
function turnedFix(port: string, range: Range): Fix | undefined {
  const [, first, last] = /^(\d{1,5})-(\d{1,5})$/.exec(port) ?? [];
  if (first === undefined || last === undefined || Number(first) > 65535) return undefined;
  const turned = `${last}-${first}`;
  return Number(last) < Number(first)
    ? suggestedFix(`Change to ${turned}`, replace(range, turned))
    : undefined;
}

function faultOf(text: string): string | undefined {
  const match = /^(\d+)(?:-(\d+))?$/.exec(text);
  if (match === null)
    return `'${text}' is no port: a number from 0 to 65535, or a range such as 8000-8010`;
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  if (first > 65535 || last > 65535) return `port ${text} is above 65535`;
  return last < first ? `the range ${text} ends before it begins` : undefined;
}
