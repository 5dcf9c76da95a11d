/** LastUserRoot: the container does not run as root when the file says who it runs as. */
import type { Dockerfile, Stage, ValueInstruction } from '../../../syntax.ts';
import { insert, insertLine, lineBreak, suggestedFix } from '../../edits.ts';
import type { Fix, Rule } from '../../rule.ts';

export const lastUserRoot: Rule = {
  id: 'LastUserRoot',
  aliases: ['DL3002'],
  severity: 'warning',
  summary: 'The last USER is not root',
  fixable: true,
  checks: {
    file: (file, { facts, report }) => {
      const target = file.stages.at(-1);
      if (target === undefined) return;
      const [last] = facts
        .chainOf(target)
        .flatMap((stage) => stage.instructions.filter((each) => each.kind === 'USER').reverse());
      if (last === undefined || !isRoot(last as ValueInstruction)) return;
      const { range } = (last as ValueInstruction).value;
      const user = facts.imageUser(target);
      if (user === undefined || user === '' || isRootName(user)) {
        report({ message: 'the container runs as root: let the last USER be another one', range });
        return;
      }
      const message = `the container runs as root, where its base image runs as ${user}: change back to that`;
      const fix = backFix(file, target, user);
      report({ message, range, ...(fix === undefined ? {} : { fix }) });
    },
  },
};

function isRoot({ value }: ValueInstruction): boolean {
  return isRootName(value.text);
}

function isRootName(name: string): boolean {
  return /^["']?(root|0)(:|["']?$)/.test(name);
}

/** What says how the container runs; USER stands before it. */
const SETTINGS = new Set(['CMD', 'ENTRYPOINT', 'EXPOSE', 'HEALTHCHECK', 'STOPSIGNAL', 'LABEL']);

/** USER behind the last instruction that may need root. */
function backFix(file: Dockerfile, { instructions }: Stage, user: string): Fix | undefined {
  const at = instructions.findLastIndex(({ kind }) => !SETTINGS.has(kind)) + 1;
  const next = instructions[at];
  const line = `USER ${user}`;
  const title = `Add ${line}`;
  if (next !== undefined) return suggestedFix(title, insertLine(file, next, line));
  // A line below would go on with this one.
  if (/[\\`]\s*$/.test(file.text.slice(-200))) return undefined;
  const isEnded = file.text.endsWith('\n');
  const text = isEnded ? line + lineBreak(file) : lineBreak(file) + line;
  return suggestedFix(title, insert(file.text.length, text));
}
