/** The users and groups that a stage's own commands make, for USER and --chown. */
import { CompletionItemKind } from 'vscode-languageserver/node';
import { stageAt } from '../../../src/lib/dockerfile/scope/places.ts';
import { commandsOf } from '../../../src/lib/dockerfile/shell/walk.ts';
import type { Dockerfile } from '../../../src/lib/dockerfile/syntax.ts';
import { scriptsIn } from '../../facts.ts';
import type { Draft } from './items.ts';

const MAKERS: Readonly<Record<string, 'user' | 'group'>> = {
  useradd: 'user',
  adduser: 'user',
  groupadd: 'group',
  addgroup: 'group',
};

/** Users made before the offset in its stage, with their groups where one of that name is made too. */
export function owners(file: Dockerfile, offset: number): Draft[] {
  const stage = stageAt(file, offset);
  const users = new Set<string>();
  const groups = new Set<string>();
  for (const { stage: of, instruction, script } of scriptsIn(file)) {
    if (of !== stage || script === undefined || instruction.range.start > offset) continue;
    for (const { name, arguments: words } of commandsOf(script)) {
      const made = name !== undefined && Object.hasOwn(MAKERS, name) ? MAKERS[name] : undefined;
      const last = words.at(-1)?.value;
      if (made === undefined || last === undefined || !/^[a-z_][\w.-]*\$?$/i.test(last)) continue;
      (made === 'user' ? users : groups).add(last);
    }
  }
  const both = [...users].filter((name) => groups.has(name)).map((name) => `${name}:${name}`);
  return [...both, ...users].map((label) => ({
    label,
    detail: 'made in this stage',
    kind: CompletionItemKind.Value,
  }));
}
