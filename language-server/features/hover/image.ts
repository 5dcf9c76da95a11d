/** What hover says of a base image: what is known of its configuration, without waiting for anybody. */
import { touches } from '../../../src/lib/dockerfile/scope/places.ts';
import type { Dockerfile, Instruction, Word } from '../../../src/lib/dockerfile/syntax.ts';
import { familiarName, type Reference, tryReference } from '../../../src/lib/image/reference.ts';
import { sizeText } from '../../../src/lib/text/amounts.ts';
import { variablesIn } from '../../facts.ts';
import type { Known } from '../completion/images.ts';
import { imagePage } from '../navigation/links.ts';
import type { Described } from './hover.ts';

/** What an image's configuration says; lists are empty and texts '' where it says nothing. */
export interface ImageDescription {
  readonly environment: readonly string[];
  readonly user: string;
  /** What SHELL says; empty where nothing does. */
  readonly shell: readonly string[];
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly directory: string;
  readonly ports: readonly string[];
  readonly volumes: readonly string[];
  /** Bytes; of the compressed layers for an image on a registry. */
  readonly size: number | undefined;
  readonly platforms: readonly string[];
  readonly created: string;
  /** What the name stands for in its repository, `sha256:…`; '' where that is not known. */
  readonly digest: string;
  readonly where: 'local' | 'registry';
}

/** Answers at once. */
export interface ImageFacts {
  describe(name: string): Known<ImageDescription>;
}

interface Asked {
  readonly offset: number;
  readonly facts: ImageFacts | undefined;
}

export function describeImage(
  file: Dockerfile,
  instruction: Instruction,
  { offset, facts }: Asked,
): Described | undefined {
  const word = imageWord(instruction, offset);
  if (word === undefined || word.text === '') return undefined;
  const name = word.text.includes('$') ? variablesIn(file).imageOf(word) : word.text;
  if (name === 'scratch') return { range: word.range, text: 'The empty image: no files at all.' };
  const reference = tryReference(name);
  if (reference === undefined) return undefined;
  const known = facts?.describe(name);
  const parts = [title(name, reference)];
  if (known?.value !== undefined) parts.push(configuration(known.value));
  else if (known?.pending === true) parts.push('Its configuration is being looked up.');
  return { range: word.range, text: parts.join('\n\n') };
}

function imageWord(instruction: Instruction, offset: number): Word | undefined {
  const words =
    instruction.kind === 'FROM'
      ? [instruction.image]
      : instruction.kind === 'COPY'
        ? [instruction.from]
        : instruction.kind === 'RUN'
          ? instruction.mounts.map(({ from }) => from)
          : [];
  return words.find((word) => word !== undefined && touches(word.range, offset));
}

function title(name: string, reference: Reference): string {
  const page = imagePage(name);
  const { domain, tag, digest } = reference;
  const what = `\`${familiarName(reference)}\` on ${domain}`;
  const version = digest !== undefined ? 'pinned by digest' : `tag \`${tag ?? 'latest'}\``;
  return `${what}, ${version}${page === undefined ? '' : ` · [page](${page})`}`;
}

function configuration(image: ImageDescription): string {
  const { user, directory, size, created, where, digest } = image;
  const rows: readonly (readonly [string, string])[] = [
    [
      'size',
      size === undefined ? '' : `${sizeText(size)}${where === 'registry' ? ' compressed' : ''}`,
    ],
    ['platforms', codes(image.platforms)],
    ['digest', codes([digest])],
    ['created', codes([created.slice(0, 10)])],
    ['user', codes([user === '' ? 'root' : user])],
    ['workdir', codes([directory])],
    ['shell', words(image.shell)],
    ['entrypoint', words(image.entrypoint)],
    ['cmd', words(image.command)],
    ['ports', codes(image.ports)],
    ['volumes', codes(image.volumes)],
    ['env', image.environment.slice(0, LIMIT).map(code).join('<br>')],
  ];
  const lines = rows
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `| ${name} | ${value} |`);
  return ['| | |', '|---|---|', ...lines].join('\n');
}

/** More entries are not shown. */
const LIMIT = 20;

function codes(list: readonly string[]): string {
  return list
    .filter((text) => text !== '')
    .slice(0, LIMIT)
    .map(code)
    .join(', ');
}

function words(list: readonly string[]): string {
  return list.length === 0 ? '' : code(JSON.stringify(list));
}

/** As code within a table; the text comes from an image, so nothing in it may be Markdown. */
function code(text: string): string {
  const cut = text.length > 200 ? `${text.slice(0, 200)}…` : text;
  return `\`${cut.replaceAll(/[`|\r\n<]/g, ' ')}\``;
}
