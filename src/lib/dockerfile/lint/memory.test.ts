/** Tests of what the linter keeps of instructions: with a memory it says the same as without, whatever it saw before. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseDockerfile } from '../parse.ts';
import { DEFAULT_OPTIONS, lintDockerfile } from './lint.ts';
import type { Shelf } from '../../text/memory.ts';
import { type Judgement, LintMemory } from './memory.ts';
import type { LintOptions } from './rule.ts';
import { RULES } from './table.ts';

const PAGES = new URL('../../../../docs/rules/', import.meta.url);

/** Instructions, comments and half lines of all examples of the rules' pages: each rule finds something in them. */
const PIECES = [
  ...new Set(
    readdirSync(PAGES)
      .filter((name) => name.endsWith('.md'))
      .flatMap((name) => readFileSync(new URL(name, PAGES), 'utf8').split('```'))
      .filter((_, index) => index % 2 === 1)
      .flatMap((block) => {
        const text = block.slice(block.indexOf('\n') + 1);
        const { instructions } = parseDockerfile(text);
        return instructions.map(({ range }) => text.slice(range.start, range.end));
      }),
  ),
  ...[
    '',
    '# hadolint ignore=DL3008',
    '# a comment',
    '# hadolint shell=bash',
    '  ',
    '\\',
    'ONBUILD ',
  ],
  ...[
    'FROM scratch',
    'FROM alpine AS a',
    'FROM a AS b',
    'SHELL ["/bin/bash", "-o", "pipefail", "-c"]',
  ],
  ...['ARG name=1', 'ENV name=1', 'WORKDIR /x', 'COPY --from=a /x /y', '\uFEFF', '# escape=`'],
];

const ALL_ON: LintOptions = {
  ...DEFAULT_OPTIONS,
  severities: new Map(RULES.map(({ id }) => [id, 'warning'])),
  context: { source: (pattern) => (pattern.length % 2 === 0 ? 'absent' : 'ignored') },
};

const texts = fc
  .array(fc.tuple(fc.constantFrom(...PIECES), fc.constantFrom('\n', '\n', '\n', '\r\n', ' ')), {
    minLength: 1,
    maxLength: 12,
  })
  .map((pieces) => pieces.flat().join(''));

test('with a memory of other files the linter says what it says without one', () => {
  assert.ok(PIECES.length > 200, String(PIECES.length));
  const memory = new LintMemory({ room: 20_000 });
  const check = (text: string): void => {
    const file = parseDockerfile(text);
    for (const options of [DEFAULT_OPTIONS, ALL_ON]) {
      const expected = lintDockerfile(file, options);
      assert.deepEqual(lintDockerfile(file, options, memory), expected);
      assert.deepEqual(lintDockerfile(file, options, memory), expected, 'a second time');
    }
  };
  fc.assert(fc.property(texts, check), { numRuns: 400 });
});

test('every example is judged alike after any other', () => {
  const memory = new LintMemory();
  for (const around of ['FROM a\n', 'FROM scratch\nARG x=1\n', '']) {
    for (const piece of PIECES) {
      for (const text of [
        `${around}${piece}\n`,
        `${around}${piece}`,
        `${around}ONBUILD ${piece}\n`,
      ]) {
        const file = parseDockerfile(text);
        assert.deepEqual(lintDockerfile(file, ALL_ON, memory), lintDockerfile(file, ALL_ON), text);
      }
    }
  }
});

/** A file as people write them, in which only the names of stages and images need a second look. */
const ORDINARY = `FROM debian:12 AS base
ARG VERSION=1.2.3
ENV PATH=/usr/local/bin:$PATH VERSION=$VERSION
WORKDIR /app
RUN apt-get update && apt-get install -y --no-install-recommends curl \\
    && rm -rf /var/lib/apt/lists/*
RUN --mount=type=cache,target=/root/.npm npm ci
RUN if [ -n "$VERSION" ]; then echo "$VERSION" > version; fi
COPY --chown=node:node package.json ./
EXPOSE 3000
USER 1000
CMD ["node", "main.js"]
`;

test('nothing but FROM is judged again in an ordinary file', () => {
  const again: string[] = [];
  class Watched extends LintMemory {
    override shelf(surroundings: string): Shelf<Judgement> {
      const shelf = super.shelf(surroundings);
      return {
        find: (text) => shelf.find(text),
        keep: (text, judgement) => {
          for (const step of judgement)
            if (step.kind !== 'found') again.push(`${step.hook.rule.id}: ${text}`);
          shelf.keep(text, judgement);
        },
      };
    }
  }
  lintDockerfile(parseDockerfile(ORDINARY), DEFAULT_OPTIONS, new Watched());
  assert.deepEqual(
    again.filter((line) => !line.includes(': FROM ')),
    [],
  );
});

test('what was not asked for is forgotten, and the memory stays within its room', () => {
  const memory = new LintMemory({ room: 100 });
  const shelf = memory.shelf('x');
  for (let count = 0; count < 1000; count++) {
    shelf.keep(`RUN number ${String(count)}`, []);
    shelf.find('RUN number 0');
  }
  assert.notEqual(shelf.find('RUN number 0'), undefined);
  assert.equal(shelf.find('RUN number 500'), undefined);
  assert.notEqual(shelf.find('RUN number 999'), undefined);
});
