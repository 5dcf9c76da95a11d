/** QuoteVariable: a variable stands in quotes where it is one argument. */
import { insert, replace, suggestedFix } from '../../edits.ts';
import type { Fix, Rule, Scope } from '../../rule.ts';
import type { PlacedPart, Script } from '../../shell/script.ts';
import type { ParameterPart } from '../../../shell/syntax.ts';
import { isConstant } from './constants.ts';
import { Flow } from './flow.ts';
import { splits } from './splitting.ts';

export const quoteVariable: Rule = {
  id: 'QuoteVariable',
  aliases: ['SC2086', 'SC2068', 'SC2048'],
  severity: 'information',
  summary: 'A variable is quoted',
  fixable: true,
  checks: {
    script: (script, scope) => {
      if (!script.tree.text.includes('$')) return;
      let flow: Flow | undefined;
      for (const placed of script.parts) {
        const { part } = placed;
        if (part.kind !== 'parameter' || !isSplit(part, placed, script)) continue;
        flow ??= new Flow(script.tree);
        if (isPlain(part, flow, scope)) continue;
        const { range, text } = part;
        const message = `${text} is split at spaces and its wildcards are expanded: write ${quoted(part)}`;
        scope.report({ message, range, ...(isList(part) ? {} : { fix: fixOf(part) }) });
      }
    },
  },
};

function isSplit(part: ParameterPart, placed: PlacedPart, script: Script): boolean {
  if (part.prefix === '#' || !/^[A-Za-z_0-9@*]/.test(part.name)) return false;
  // `$name=value` has a mistake of its own.
  if (placed.role === 'name' && /^\$\{?\w+\}?=/.test(placed.word?.word.text ?? '')) return false;
  return !/^:?\+$/.test(part.operator) && splits(placed, script);
}

function isPlain(part: ParameterPart, flow: Flow, scope: Scope): boolean {
  if (part.index !== undefined || part.prefix === '!') return false;
  const own = flow.isPlain(part);
  if (own !== undefined) return own;
  return part.operator === '' && isConstant(part.name, scope);
}

/** All arguments stay the arguments that they are only as `"$@"`. */
function quoted({ name, text }: ParameterPart): string {
  return name === '*' && text.length <= 4 ? '"$@"' : `"${text}"`;
}

/** `$CFLAGS`, `$JAVA_OPTS`, `$BUILD_DEPS`: most often more than one argument, on purpose. */
function isList({ name }: ParameterPart): boolean {
  return /(flags|opts|options|args|params|deps|packages|pkgs|modules|extensions|list)$/i.test(name);
}

function fixOf(part: ParameterPart): Fix {
  const { range, name } = part;
  if (name === '*') return suggestedFix('Put it in quotes', replace(range, quoted(part)));
  return suggestedFix('Put it in quotes', insert(range.start, '"'), insert(range.end, '"'));
}
