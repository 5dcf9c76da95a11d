/** The documents of an image's layers and of two images' differences, as text that folds by its indents. Pure. */
import type { ImageConfig, RunConfig } from '../../../lib/image/config.ts';
import type {
  FileDifference,
  LayerEntry,
  LayerSurvey,
  Survey,
} from '../../../lib/image/contents.ts';
import { sizeText } from '../../../lib/text/amounts.ts';
import { instructionOf } from '../../views/images/layers.ts';
import { count } from '../each.ts';

/** Files of a layer that are listed, the largest of them. */
const LISTED = 1000;

export function contentsText(name: string, { layers, bytes, waste }: Survey): string {
  const wasted = waste.reduce((sum, each) => sum + each.bytes, 0);
  const share = bytes === 0 ? 0 : (wasted / bytes) * 100;
  const lines = [
    `${printable(name)}: ${count(layers.length, 'layer')}, ${sizeText(bytes)}`,
    wasted === 0
      ? 'No space is wasted: no layer hides files of another.'
      : `${sizeText(wasted)} (${share.toFixed(1)} %) are wasted: files that a later layer replaces or deletes.`,
    '',
  ];
  if (waste.length > 0) {
    lines.push('Wasted, the largest first');
    for (const { path, bytes: size, layer, by, how } of waste.slice(0, LISTED))
      lines.push(
        `  ${right(sizeText(size))}  /${printable(path)}  of layer ${String(layer + 1)}, ${how} by layer ${String(by + 1)}`,
      );
    lines.push(...andMore(waste.length), '');
  }
  for (const [index, layer] of layers.entries()) lines.push(...layerText(layer, index), '');
  return `${lines.join('\n').trimEnd()}\n`;
}

function layerText(layer: LayerSurvey, index: number): string[] {
  const { instruction, bytes, wasted, added, changed, deleted, diffId } = layer;
  const words = instructionOf(instruction.created_by);
  const facts = [
    sizeText(bytes),
    ...(wasted === 0 ? [] : [`${sizeText(wasted)} of it wasted`]),
    ...(added.length === 0 ? [] : [`${String(added.length)} added`]),
    ...(changed.length === 0 ? [] : [`${String(changed.length)} changed`]),
    ...(deleted.length === 0 ? [] : [`${String(deleted.length)} deleted`]),
  ];
  return [
    `Layer ${String(index + 1)}  ${facts.join(', ')}`,
    `  ${printable(words === '' ? '(no instruction recorded)' : words)}`,
    `  ${diffId}`,
    ...entriesText('Added', added),
    ...entriesText('Changed', changed),
    ...(deleted.length === 0
      ? []
      : ['  Deleted', ...deleted.slice(0, LISTED).map((path) => `    /${printable(path)}`)]),
    ...andMore(deleted.length),
  ];
}

function entriesText(title: string, entries: readonly LayerEntry[]): string[] {
  if (entries.length === 0) return [];
  const sorted = entries.toSorted((a, b) => b.size - a.size || (a.path < b.path ? -1 : 1));
  return [`  ${title}`, ...sorted.slice(0, LISTED).map(entryText), ...andMore(entries.length)];
}

function entryText(entry: LayerEntry): string {
  const end = entry.type === 'directory' ? '/' : '';
  const target = entry.target === undefined ? '' : ` → ${printable(entry.target)}`;
  const size = entry.type === 'file' ? sizeText(entry.size) : '';
  return `    ${right(size)}  /${printable(entry.path)}${end}${target}`;
}

function andMore(length: number): string[] {
  return length > LISTED ? [`    and ${String(length - LISTED)} more`] : [];
}

export interface Compared {
  readonly configs: readonly [ImageConfig, ImageConfig];
  readonly surveys: readonly [Survey, Survey];
  readonly files: readonly FileDifference[];
}

/** `names`: of the older image and the newer one. */
export function comparisonText(
  names: readonly [string, string],
  { configs, surveys, files }: Compared,
): string {
  const [a, b] = surveys;
  const shared = a.layers.findIndex(({ diffId }, index) => diffId !== b.layers[index]?.diffId);
  const same = shared < 0 ? a.layers.length : shared;
  const lines = [
    `- ${printable(names[0])}: ${count(a.layers.length, 'layer')}, ${sizeText(a.bytes)}`,
    `+ ${printable(names[1])}: ${count(b.layers.length, 'layer')}, ${sizeText(b.bytes)}`,
    `${same === 0 ? 'No layer is' : same === 1 ? 'The first layer is' : `The first ${String(same)} layers are`} the same.`,
    '',
  ];
  const settings = settingsText(configs);
  if (settings.length > 0) lines.push('Settings', ...settings, '');
  for (const [title, kind] of KINDS) {
    const some = files.filter((file) => file.kind === kind);
    if (some.length > 0) lines.push(`${title} (${String(some.length)})`, ...some.map(fileText), '');
  }
  if (files.length === 0) lines.push('The files are the same.');
  return `${lines.join('\n').trimEnd()}\n`;
}

const KINDS = [
  ['Changed', 'changed'],
  ['Added', 'added'],
  ['Removed', 'removed'],
] as const;

function fileText({ path, kind, left, right: newer, what }: FileDifference): string {
  const entry = newer ?? left;
  const name = `/${printable(path)}${entry?.type === 'directory' ? '/' : ''}`;
  if (kind !== 'changed')
    return `  ${right(entry?.type === 'file' ? sizeText(entry.size) : '')}  ${name}`;
  return `  ${right(what)}  ${name}  ${changeText(what, left, newer)}`.trimEnd();
}

function changeText(
  what: FileDifference['what'],
  left: LayerEntry | undefined,
  newer: LayerEntry | undefined,
): string {
  if (left === undefined || newer === undefined) return '';
  if (what === 'type') return `${left.type} → ${newer.type}`;
  if (what === 'rights') return `${rights(left)} → ${rights(newer)}`;
  if (left.target !== newer.target)
    return `→ ${printable(left.target ?? '')} → ${printable(newer.target ?? '')}`;
  return left.size === newer.size ? '' : `${sizeText(left.size)} → ${sizeText(newer.size)}`;
}

function rights({ mode, uid, gid }: LayerEntry): string {
  return `${mode.toString(8).padStart(4, '0')} ${String(uid)}:${String(gid)}`;
}

/** Each line of the settings that only one of the two has. */
function settingsText([left, newer]: Compared['configs']): string[] {
  const before = settingsOf(left);
  const after = settingsOf(newer);
  return [
    ...before.filter((line) => !after.includes(line)).map((line) => `  - ${line}`),
    ...after.filter((line) => !before.includes(line)).map((line) => `  + ${line}`),
  ];
}

function settingsOf({ os, architecture, variant, config = {} }: ImageConfig): string[] {
  const list = (name: string, values: readonly string[] | null | undefined): string[] =>
    values == null || values.length === 0 ? [] : [`${name} ${JSON.stringify(values)}`];
  const one = (name: string, value: string | undefined): string[] =>
    value === undefined || value === '' ? [] : [`${name} ${printable(value)}`];
  const keys = (name: string, value: Readonly<Record<string, unknown>> | null | undefined) =>
    Object.keys(value ?? {}).map((key) => `${name} ${printable(key)}`);
  const run: RunConfig = config;
  return [
    `platform ${[os, architecture, variant].filter((part) => part !== undefined).join('/')}`,
    ...one('user', run.User),
    ...one('workdir', run.WorkingDir),
    ...list('entrypoint', run.Entrypoint),
    ...list('cmd', run.Cmd),
    ...(run.Env ?? []).map((pair) => `env ${printable(pair)}`),
    ...keys('port', run.ExposedPorts),
    ...keys('volume', run.Volumes),
    ...Object.entries(run.Labels ?? {}).map(
      ([key, value]) => `label ${printable(key)}=${printable(value)}`,
    ),
    ...one('stop signal', run.StopSignal),
    ...list('healthcheck', run.Healthcheck?.Test),
    ...list('shell', run.Shell),
    ...(run.OnBuild ?? []).map((line) => `onbuild ${printable(line)}`),
  ];
}

function right(text: string): string {
  return text.padStart(8);
}

/** Names are anybody's: a control character in one would break a line. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '·');
}
