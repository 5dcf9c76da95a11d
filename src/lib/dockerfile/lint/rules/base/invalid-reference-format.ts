/** InvalidReferenceFormat: FROM and COPY --from name images in the form that registries take. */
import { tryReference } from '../../../../image/reference.ts';
import type { Range } from '../../../syntax.ts';
import { replace, suggestedFix } from '../../edits.ts';
import type { LintFinding, Rule, Scope } from '../../rule.ts';

export const invalidReferenceFormat: Rule = {
  id: 'InvalidReferenceFormat',
  aliases: ['INVALID_REFERENCE_FORMAT', 'FLAG_INVALID_FROM_VALUE'],
  severity: 'error',
  summary: 'An image name has the form [registry/]path[:tag][@digest]',
  fixable: true,
  checks: {
    FROM: ({ image }, scope) => check(image, scope),
    COPY: ({ from }, scope) => {
      if (from === undefined || /^\d+$/.test(from.text)) return;
      if (scope.facts.graph.named(from.text) === undefined) check(from, scope);
    },
  },
};

function check(
  { text, range }: { text: string; range: Range },
  { facts, stage, report }: Scope,
): void {
  if (text === '' || text.includes('$') || facts.reference(text) !== undefined) return;
  if (stage !== undefined && facts.graph.named(text) !== undefined) return;
  report(finding(text, range));
}

function finding(text: string, range: Range): LintFinding {
  const message = `'${text}' is no image name: it is [registry/]path[:tag][@digest], the path in lower case`;
  const lower = text.replace(/^[^:@]*/, (path) => path.toLowerCase());
  if (lower === text || tryReference(lower) === undefined) return { message, range };
  return { message, range, fix: suggestedFix(`Change to ${lower}`, replace(range, lower)) };
}
