/** The users and groups that a stage's own commands make and that its image has, for USER and --chown. */
import { CompletionItemKind } from 'vscode-languageserver/node';
import { stageAt } from '../../../src/lib/dockerfile/scope/places.ts';
import { commandsOf } from '../../../src/lib/dockerfile/shell/walk.ts';
import type { Dockerfile } from '../../../src/lib/dockerfile/syntax.ts';
import { scriptsIn } from '../../facts.ts';
import { type Accounts, accountsOf, type ImageFiles } from './inside.ts';
import type { Draft } from './items.ts';

const MAKERS: Readonly<Record<string, 'user' | 'group'>> = {
  useradd: 'user',
  adduser: 'user',
  groupadd: 'group',
  addgroup: 'group',
};

export interface OwnerPlace {
  /** What is written up to the cursor, `user:` and the beginning of a group included. */
  readonly typed: string;
  readonly offset: number;
}

/** Users before a colon, groups behind it; with a user its group where there is one of that name. */
export async function owners(
  file: Dockerfile,
  { typed, offset }: OwnerPlace,
  source: ImageFiles | undefined,
): Promise<{ readonly found: Draft[]; readonly pending: boolean }> {
  const made = madeIn(file, offset);
  const { value, pending } = await accountsOf(file, stageAt(file, offset), source);
  const held = value ?? { users: [], groups: [] };
  const user = /^([^:]*):/.exec(typed)?.[1];
  const drafts = new Map<string, Draft>();
  for (const [{ users, groups }, detail] of [
    [made, 'made in this stage'],
    [held, 'in the image'],
  ] as const) {
    const known = new Set(groups);
    const both = users.filter((name) => known.has(name)).map((name) => `${name}:${name}`);
    const labels =
      user === undefined ? [...both, ...users] : groups.map((group) => `${user}:${group}`);
    for (const label of labels)
      if (!drafts.has(label)) drafts.set(label, { label, detail, kind: CompletionItemKind.Value });
  }
  return { found: [...drafts.values()], pending };
}

/** Made before the offset in its stage. */
function madeIn(file: Dockerfile, offset: number): Accounts {
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
  return { users: [...users], groups: [...groups] };
}
