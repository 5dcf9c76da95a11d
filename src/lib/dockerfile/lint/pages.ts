/** Makes what is generated of the rules' documentation: the head of each page, and the list of all of them. */
import type { Rule } from './rule.ts';
import { pageOf, RULES } from './table.ts';

/** The head of a rule's page: its name, summary, and how it is set and called. */
export function headerOf(rule: Rule): string {
  const { id, summary, severity, optional, fixable, aliases } = rule;
  const facts = [
    optional === true ? `off by default (${severity})` : severity,
    fixable ? 'has a fix' : 'no fix',
    ...(aliases.length > 0 ? [`also ${aliases.join(', ')}`] : []),
  ];
  return `# ${id}\n\n${summary}.\n\n*${facts.join(' · ')}*\n`;
}

/** The list of all rules. */
export function indexPage(): string {
  const rows = [...RULES]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map(({ id, summary, severity, optional, fixable, aliases }) => {
      const level = optional === true ? 'off' : severity;
      return `| [${id}](${pageOf(id)}) | ${summary} | ${level} | ${fixable ? 'yes' : ''} | ${aliases.join(', ')} |`;
    });
  const count = RULES.filter(({ fixable }) => fixable).length;
  const head =
    '# Rules\n\nWhat `pinnace lint` and the editor check in Dockerfiles. A rule is ignored on the next instruction by ' +
    '`# hadolint ignore=NAME`, in a file by `# hadolint global ignore=NAME` or `# check=skip=NAME`, in a project by ' +
    '`.hadolint.yaml`; NAME is the rule or one of its other names.\n\n' +
    `${String(RULES.length)} rules, ${String(count)} of them with fixes. This list is generated; a test compares it.\n\n`;
  return `${head}| rule | asks for | severity | fix | also called |\n|---|---|---|---|---|\n${rows.join('\n')}\n`;
}
