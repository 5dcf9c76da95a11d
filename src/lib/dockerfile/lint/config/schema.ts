/** Makes the JSON schema of `.hadolint.yaml`, which editors complete and check the file with; the rules are the table's. */
import { RULES } from '../table.ts';

type Schema = Readonly<Record<string, unknown>>;

/** The schema (draft 7). */
export function configurationSchema(): Schema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Configuration of the Dockerfile linter (.hadolint.yaml)',
    type: 'object',
    additionalProperties: false,
    properties: PROPERTIES,
    definitions: {
      rule: {
        type: 'string',
        anyOf: [
          { enum: [...ruleNames().keys()], enumDescriptions: [...ruleNames().values()] },
          { pattern: '^SC[0-9]{4}$' },
        ],
      },
      rules: { type: ['array', 'null'], items: { $ref: '#/definitions/rule' } },
    },
  };
}

const RULES_REF: Schema = { $ref: '#/definitions/rules' };

const PROPERTIES: Schema = {
  'failure-threshold': {
    description: 'From which level on a finding makes the command fail.',
    enum: ['error', 'warning', 'info', 'style', 'ignore', 'none'],
    default: 'info',
  },
  format: {
    description: 'The output of the command.',
    enum: ['tty', 'text', 'json', 'sarif', 'github', 'checkstyle'],
  },
  ignored: { description: 'Rules that are not reported.', ...RULES_REF },
  'label-schema': {
    description: 'Labels that the image must have, and how their values look.',
    type: 'object',
    additionalProperties: { enum: ['text', 'rfc3339', 'semver', 'url', 'hash', 'spdx', 'email'] },
  },
  'no-color': { description: 'No colours on a terminal.', type: 'boolean' },
  'no-fail': { description: 'Exit 0 whatever is found.', type: 'boolean' },
  override: {
    description: 'Rules with another level than their own.',
    type: 'object',
    additionalProperties: false,
    properties: { error: RULES_REF, warning: RULES_REF, info: RULES_REF, style: RULES_REF },
  },
  'strict-labels': {
    description: 'Report labels that label-schema does not name.',
    type: 'boolean',
  },
  'disable-ignore-pragma': {
    description: 'Do not obey comments that ignore rules.',
    type: 'boolean',
  },
  trustedRegistries: {
    description:
      'Registries that images may come from; * stands for any text at the beginning or end.',
    type: ['string', 'array'],
    items: { type: 'string' },
  },
};

/** Every id and alias with what it asks for. */
function ruleNames(): Map<string, string> {
  const names = new Map(RULES.map(({ id, summary }) => [id, summary]));
  for (const { aliases, summary } of RULES) {
    for (const alias of aliases) if (!names.has(alias)) names.set(alias, summary);
  }
  return names;
}
