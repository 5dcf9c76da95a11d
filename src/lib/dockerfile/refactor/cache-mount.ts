/**
 * Adds cache mounts for the package managers that a RUN uses, and takes out what defeats them: options that switch the
 * cache off, commands that empty it. Where something else in the RUN or the stage stands against it, nothing is offered.
 */
import { insert, remove, removeWord, replace } from '../lint/edits.ts';
import type { Edit } from '../lint/rule.ts';
import type { SequenceItem, ShellScript, SimpleCommand } from '../shell/syntax.ts';
import { visitShell } from '../shell/walk.ts';
import type { Dockerfile, Instruction, RunInstruction, Stage } from '../syntax.ts';
import { CACHE_TOOLS, type CacheTool } from './cache-tools.ts';
import { innerOf, isHeld, onlyInstruction, scriptFor, stageOf } from './place.ts';
import type { RefactorRequest, Refactoring } from './refactoring.ts';

export function addCacheMounts(request: RefactorRequest): readonly Refactoring[] {
  const run = onlyInstruction(request);
  if (run?.kind !== 'RUN' || run.command.form !== 'shell' || run.heredocs.length > 1) return [];
  const script = scriptFor(request, run)?.script;
  if (script === undefined) return [];
  const commands = simpleCommands(script);
  return CACHE_TOOLS.flatMap((tool) => offer(request, { run, script, commands, tool }));
}

interface Use {
  readonly run: RunInstruction;
  readonly script: ShellScript;
  readonly commands: readonly SimpleCommand[];
  readonly tool: CacheTool;
}

function offer({ file }: RefactorRequest, use: Use): Refactoring[] {
  const { run, script, commands, tool } = use;
  const fills = commands.filter((command) => isFill(command, tool));
  const folders = tool.folders.filter((folder) => !isMounted(run, folder));
  if (fills.length === 0 || folders.length === 0 || !isInForce(file, run, tool)) return [];
  const removed = removals(script, tool);
  const emptied = commands.filter((command) => tool.empties.test(lineOf(command)));
  // One that cannot be taken out empties the cache at every build.
  if (removed.count < emptied.length) return [];
  const sharing = tool.locked ? ',sharing=locked' : '';
  const mounts = folders.map((folder) => `--mount=type=cache,target=${folder}${sharing} `).join('');
  const edits: Edit[] = [
    insert(run.flags[0]?.range.start ?? run.argument.range.start, mounts),
    ...removed.edits,
    ...fills.flatMap((command) => optionEdits(file, command, tool)),
  ];
  const { first } = tool;
  const isKnown =
    first === undefined || run.argument.text.includes(first.split(' ').at(-1) ?? first);
  const [item] = script.body.items;
  if (!isKnown && item !== undefined)
    edits.push(
      insert(item.node.range.start, `${first}${script.text.includes('\n') ? '\n' : ' && '}`),
    );
  edits.sort((a, b) => a.range.start - b.range.start || a.range.end - b.range.end);
  if (edits.some((edit, at) => edit.range.start < (edits[at - 1]?.range.end ?? 0))) return [];
  return [{ title: `Add a cache mount for ${tool.title}`, kind: 'rewrite', edits }];
}

function simpleCommands(script: ShellScript): SimpleCommand[] {
  const found: SimpleCommand[] = [];
  visitShell(script, {
    command: (command) => {
      if (command.kind === 'simple') found.push(command);
    },
  });
  return found;
}

function isFill(
  { name, arguments: words }: SimpleCommand,
  { commands, fills }: CacheTool,
): boolean {
  if (!commands.includes(name?.value ?? '')) return false;
  const action = words.find(({ text }) => !text.startsWith('-'));
  return fills.test(action?.value ?? words[0]?.text ?? '');
}

function isMounted({ mounts }: RunInstruction, folder: string): boolean {
  return mounts.some(({ target }) => {
    const path = (target?.text ?? '').replace(/\/+$/, '');
    return (
      path !== '' &&
      (folder === path || folder.startsWith(`${path}/`) || path.startsWith(`${folder}/`))
    );
  });
}

/** Nothing in the stages up to here moves the cache or runs as somebody whose cache lies elsewhere. */
function isInForce(
  file: Dockerfile,
  run: RunInstruction,
  { ofRoot, variables }: CacheTool,
): boolean {
  const before = actingBefore(file, run);
  for (const each of before) {
    const pairs = each.kind === 'ENV' || each.kind === 'ARG' ? each.pairs : [];
    if (pairs.some(({ name }) => variables.includes(name.text))) return false;
  }
  const last = before.findLast(({ kind }) => kind === 'USER');
  const user = last?.kind === 'USER' ? last.value.text : 'root';
  return !ofRoot || /^(?:root|0)(?::|$)/.test(user);
}

/** What acts before a RUN, in order: its stage's and its base stages' instructions, and what ONBUILD holds in these. */
function actingBefore(file: Dockerfile, run: RunInstruction): readonly Instruction[] {
  const chain: Instruction[][] = [];
  const own = stageOf(file, run);
  const held = isHeld(file, run);
  const isBefore = ({ range }: Instruction): boolean => range.end < run.range.start;
  for (let stage = own; stage !== undefined; stage = baseOf(file, stage)) {
    const isOwn = stage === own;
    const direct = stage.instructions.filter(({ kind }) => kind !== 'ONBUILD');
    const triggers = stage.instructions.filter(({ kind }) => kind === 'ONBUILD').map(innerOf);
    // What is held acts in the stages that are built on this one: all of this one lies before it then.
    if (!isOwn) chain.unshift([...direct, ...triggers]);
    else chain.unshift(held ? [...direct, ...triggers.filter(isBefore)] : direct.filter(isBefore));
  }
  return chain.flat();
}

function baseOf({ stages }: Dockerfile, { from, index }: Stage): Stage | undefined {
  const name = from.image.text.toLowerCase();
  return stages.slice(0, index).findLast((stage) => stage.name === name);
}

/** A command's words with one blank between them. */
function lineOf({ name, arguments: words }: SimpleCommand): string {
  return [name, ...words].map((word) => word?.text ?? '').join(' ');
}

/** Takes the commands that empty the cache out of their lists. */
function removals({ body }: ShellScript, { empties }: CacheTool): Removed {
  const edits: Edit[] = [];
  let count = 0;
  const take = (nodes: readonly SequenceItem['node'][]): void => {
    const isGone = (node: SequenceItem['node'] | undefined): boolean =>
      node?.kind === 'simple' && empties.test(lineOf(node));
    const kept = nodes.findIndex((node) => !isGone(node));
    const [head] = nodes;
    const first = nodes[kept];
    if (head === undefined || first === undefined) return;
    if (kept > 0) edits.push(remove({ start: head.range.start, end: first.range.start }));
    count += kept;
    for (const [index, node] of nodes.entries()) {
      const before = nodes[index - 1];
      if (index <= kept || before === undefined || !isGone(node)) continue;
      edits.push(remove({ start: before.range.end, end: node.range.end }));
      count += 1;
    }
  };
  const alone = body.items.every(({ terminator }) => terminator !== '&');
  if (alone) take(body.items.map(({ node }) => node));
  for (const { node } of body.items) {
    if (node.kind === 'logical' && node.operators.every(({ text }) => text === '&&'))
      take(node.parts);
  }
  return { edits, count };
}

interface Removed {
  readonly edits: readonly Edit[];
  readonly count: number;
}

function optionEdits(
  file: Dockerfile,
  command: SimpleCommand,
  { defeats, keep }: CacheTool,
): Edit[] {
  const edits = command.arguments.flatMap((word): Edit[] => {
    const other = defeats.get(word.text);
    if (other === undefined) return [];
    return [other === '' ? removeWord(file, word.range) : replace(word.range, other)];
  });
  const option = keep?.get(command.name?.value ?? '');
  const key = option?.split(/[ =]/).at(-2) ?? '';
  const isSaid = edits.length > 0 || command.arguments.some(({ text }) => text.includes(key));
  if (option !== undefined && !isSaid && command.name !== undefined)
    edits.push(insert(command.name.range.end, ` ${option}`));
  return edits;
}
