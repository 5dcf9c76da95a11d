/** Tests that the manual names all that the parser accepts, and nothing else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flagTable } from '../flags.ts';
import { MOUNT_KEYS, MOUNT_TYPES, readMount } from '../mounts.ts';
import { parseDockerfile } from '../parse.ts';
import { plainWord } from '../source.ts';
import { INSTRUCTION_KINDS } from '../statement.ts';
import { DIRECTIVES } from './directives.ts';
import { markdownOf } from './entry.ts';
import { flagEntries, flagEntry } from './flags.ts';
import { INSTRUCTIONS } from './instructions.ts';
import { keyEntry, MOUNTS } from './mounts.ts';
import { signalOf, SIGNALS } from './values.ts';
import { MODIFIERS, predefinedEntry } from './variables.ts';

test('every instruction has an entry with forms', () => {
  assert.deepEqual(Object.keys(INSTRUCTIONS), [...INSTRUCTION_KINDS]);
  for (const entry of Object.values(INSTRUCTIONS)) assert.ok(entry.forms.length > 0);
});

test("the parser's flags and the manual's are the same", () => {
  for (const kind of INSTRUCTION_KINDS) {
    assert.deepEqual(
      Object.keys(flagEntries(kind)).sort(),
      Object.keys(flagTable(kind)).sort(),
      kind,
    );
  }
  assert.equal(flagEntry('RUN', 'constructor'), undefined);
});

test('every key of a mount is in the manual of at least one type', () => {
  const known = MOUNT_TYPES.flatMap((type) => MOUNT_KEYS.filter((key) => keyEntry(type, key)));
  assert.deepEqual(
    MOUNT_KEYS.filter((key) => !known.includes(key)),
    [],
  );
  assert.deepEqual(Object.keys(MOUNTS).sort(), [...MOUNT_TYPES].sort());
});

test('the parser accepts every key where the manual has it', () => {
  for (const [type, { keys }] of Object.entries(MOUNTS)) {
    for (const [name, { bare, values, placeholder }] of Object.entries(keys)) {
      const value = values[0]?.value ?? (placeholder === 'number' ? '1' : 'x');
      const forms = bare ? [name, `${name}=${value}`] : [`${name}=${value}`];
      for (const form of forms) {
        const needs = type === 'secret' && name !== 'id' && name !== 'source' ? ',id=a' : '';
        const { findings } = readMount(plainWord(`type=${type},target=/t${needs},${form}`));
        assert.deepEqual(
          findings.map(({ message }) => message),
          [],
          `${type} ${form}`,
        );
      }
    }
  }
});

test('examples in the manual parse without an error', () => {
  const texts = [...Object.values(INSTRUCTIONS), ...Object.values(MOUNTS)].map(markdownOf);
  let seen = 0;
  for (const text of texts) {
    for (const [, body = ''] of text.matchAll(/```dockerfile\n([\s\S]*?)\n```/g)) {
      seen += 1;
      const file = parseDockerfile(/^(ARG|FROM)/.test(body) ? `${body}\n` : `FROM a\n${body}\n`);
      const errors = file.problems.filter(({ severity }) => severity === 'error');
      const known = /ADD --checksum|^ARG VERSION=22\n/.test(body);
      assert.deepEqual(known ? [] : errors.map(({ message }) => message), [], body);
    }
  }
  assert.ok(seen > 15);
});

test('signals are found by name, short name and number', () => {
  for (const text of ['SIGQUIT', 'quit', '3']) assert.equal(signalOf(text)?.name, 'SIGQUIT');
  assert.equal(signalOf('nonsense'), undefined);
  assert.equal(new Set(SIGNALS.map(({ number }) => number)).size, SIGNALS.length);
});

test('predefined names, directives and modifiers are there', () => {
  assert.match(predefinedEntry('TARGETARCH')?.summary ?? '', /architecture/);
  assert.match(predefinedEntry('no_proxy')?.summary ?? '', /without a proxy/);
  assert.equal(predefinedEntry('toString'), undefined);
  assert.deepEqual(Object.keys(DIRECTIVES), ['syntax', 'escape', 'check']);
  for (const { operator } of MODIFIERS) {
    const operand = operator.startsWith('/') ? 'a/b' : 'a';
    const { problems } = parseDockerfile(`FROM a\nENV X=y\nENV Y=\${X${operator}${operand}}\n`);
    assert.deepEqual(problems, []);
  }
});
