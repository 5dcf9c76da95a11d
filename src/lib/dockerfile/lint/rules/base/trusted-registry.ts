/** TrustedRegistry: images come from the registries that the configuration allows. */
import { tryReference } from '../../../../image/reference.ts';
import type { Range, Word } from '../../../syntax.ts';
import type { Rule, Scope } from '../../rule.ts';

export const trustedRegistry: Rule = {
  id: 'TrustedRegistry',
  aliases: ['DL3026'],
  severity: 'error',
  summary: 'Images come only from the registries of trustedRegistries',
  fixable: false,
  checks: {
    FROM: (from, scope) => {
      const stage = scope.facts.stageOf(from);
      const { text, open, undeclared } = scope.facts.imageOf(from);
      if (open || undeclared.length > 0) return;
      if (stage === undefined || scope.facts.baseOf(stage) === undefined)
        check(text, from.image.range, scope);
    },
    COPY: ({ from }, scope) => checkSource(from, scope),
    RUN: ({ mounts }, scope) => {
      for (const { from } of mounts) checkSource(from, scope);
    },
  },
};

/** An image that files are taken from; a stage is none, nor a number. */
function checkSource(word: Word | undefined, scope: Scope): void {
  if (word === undefined || /^\d+$|\$/.test(word.text)) return;
  if (scope.facts.graph.named(word.text) === undefined) check(word.text, word.range, scope);
}

function check(text: string, range: Range, { options, report }: Scope): void {
  const { trustedRegistries } = options;
  if (trustedRegistries.length === 0 || text === 'scratch') return;
  const domain = tryReference(text)?.domain;
  if (domain === undefined || trustedRegistries.some((pattern) => allows(pattern, domain))) return;
  const message = `registry ${domain} is not one of the trusted ones: ${trustedRegistries.join(', ')}`;
  report({ message, range });
}

/** `*`, `*.example.org`, `example.*` or a name; docker.io has the names that hadolint takes for it as well. */
function allows(pattern: string, domain: string): boolean {
  const names = domain === 'docker.io' ? [domain, 'hub.docker.com', 'index.docker.io'] : [domain];
  if (pattern === '*') return true;
  if (pattern.startsWith('*')) return names.some((name) => name.endsWith(pattern.slice(1)));
  if (pattern.endsWith('*')) return names.some((name) => name.startsWith(pattern.slice(0, -1)));
  return names.includes(pattern);
}
