/** The table of commands is the manifest's, and calls find their targets. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { SETTINGS } from '../engine/settings.ts';
import type { EngineNode, MessageNode } from '../views/nodes.ts';
import { callOf, selectedBy } from './call.ts';
import { COMMANDS } from './table.ts';

interface Manifest {
  readonly contributes: {
    readonly commands: readonly {
      command: string;
      title: string;
      category: string;
      icon?: string;
    }[];
    readonly configuration: { readonly properties: Readonly<Record<string, unknown>> };
  };
}

test("the table's commands and settings are those of package.json", () => {
  const path = new URL('../../../package.json', import.meta.url);
  const { contributes } = JSON.parse(readFileSync(path, 'utf8')) as Manifest;
  const declared = new Map(
    contributes.commands.map(({ command, title, category, icon }) => [
      command,
      { title, category, icon },
    ]),
  );
  for (const { id, title, category = 'Pinnace', icon } of COMMANDS)
    assert.deepEqual(declared.get(id), { title, category, icon }, id);
  const known = new Set(COMMANDS.map(({ id }) => id));
  assert.deepEqual(
    [...declared.keys()].filter((id) => !known.has(id)),
    [],
    'package.json has commands that nobody runs',
  );
  assert.equal(known.size, COMMANDS.length, 'two commands have one id');
  for (const { key } of SETTINGS) {
    assert.ok(Object.hasOwn(contributes.configuration.properties, `pinnace.${key}`), key);
  }
});

const a: EngineNode = { kind: 'engine', id: 'a' };
const b: EngineNode = { kind: 'engine', id: 'b' };
const said: MessageNode = { kind: 'message', text: 'x', level: 'info' };
const none = new Map<string, () => readonly EngineNode[]>();

test('a row of the selection stands for the selection, another one for itself', () => {
  assert.deepEqual(callOf([a, [a, b]], none).targets, [a, b]);
  assert.deepEqual(callOf([said, [a, b]], none).targets, [said]);
  assert.deepEqual(callOf([a], none).targets, [a]);
  assert.deepEqual(callOf([[a, b]], none).targets, [a, b]);
});

test('keys bring the selection of their view, the palette nothing, others their argument', () => {
  const selections = new Map([['pinnace.engines', () => [b]]]);
  assert.deepEqual(callOf([{ view: 'pinnace.engines' }], selections).targets, [b]);
  assert.deepEqual(selectedBy([{ view: 'pinnace.engines' }], selections), [b]);
  assert.equal(selectedBy([b], selections), undefined);
  assert.deepEqual(callOf([], selections), { targets: [], argument: undefined });
  assert.deepEqual(callOf([{ path: '/x' }], selections), {
    targets: [],
    argument: { path: '/x' },
  });
});
