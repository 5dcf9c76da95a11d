/** TrustedRegistry: images come from the registries that the configuration allows. */
import { tryReference } from '../../../../image/reference.ts';
import type { Rule } from '../../rule.ts';

export const trustedRegistry: Rule = {
  id: 'TrustedRegistry',
  aliases: ['DL3026'],
  severity: 'error',
  summary: 'FROM takes images only from the registries of trustedRegistries',
  fixable: false,
  checks: {
    FROM: (from, { facts, options, report }) => {
      const { trustedRegistries } = options;
      if (trustedRegistries.length === 0) return;
      const stage = facts.stageOf(from);
      const { text, open, undeclared } = facts.imageOf(from);
      if (text === 'scratch' || open || undeclared.length > 0) return;
      if (stage !== undefined && facts.baseOf(stage) !== undefined) return;
      const domain = tryReference(text)?.domain;
      if (domain === undefined || trustedRegistries.some((pattern) => allows(pattern, domain)))
        return;
      const message = `registry ${domain} is not one of the trusted ones: ${trustedRegistries.join(', ')}`;
      report({ message, range: from.image.range });
    },
  },
};

/** `*`, `*.example.org`, `example.*` or a name; docker.io has the names that hadolint takes for it as well. */
function allows(pattern: string, domain: string): boolean {
  const names = domain === 'docker.io' ? [domain, 'hub.docker.com', 'index.docker.io'] : [domain];
  if (pattern === '*') return true;
  if (pattern.startsWith('*')) return names.some((name) => name.endsWith(pattern.slice(1)));
  if (pattern.endsWith('*')) return names.some((name) => name.startsWith(pattern.slice(0, -1)));
  return names.includes(pattern);
}
