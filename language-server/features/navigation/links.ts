/** Links in a document: pages of images, addresses, and files of the context that exist. */
import type { DocumentLink } from 'vscode-languageserver/node';
import { heldBy } from '../../../src/lib/dockerfile/scope/places.ts';
import { StageGraph, stageReferences } from '../../../src/lib/dockerfile/stages.ts';
import type { Dockerfile, Instruction, Range, Stage } from '../../../src/lib/dockerfile/syntax.ts';
import { tryReference } from '../../../src/lib/image/reference.ts';
import { variablesIn } from '../../facts.ts';
import { rangeAt } from '../positions.ts';

/** Finds files of the build context; undefined: there is none of that path. */
export type FileFinder = (path: string) => string | undefined;

/** Addresses in comments are looked for in so many characters of one. */
const COMMENT_LIMIT = 2000;
const ADDRESS = /https?:\/\/[^\s"'<>()[\]{}|\\^`]*[^\s"'<>()[\]{}|\\^`.,;:!?]/g;

/** All links of a file, in no order. */
export function linksOf(file: Dockerfile, find: FileFinder): DocumentLink[] {
  const links: DocumentLink[] = [];
  const add = (range: Range, target: string | undefined, tooltip: string): void => {
    if (target !== undefined) links.push({ range: rangeAt(file.lines, range), target, tooltip });
  };
  const { syntax } = file.directives;
  if (syntax !== undefined) add(syntax.valueRange, imagePage(syntax.value), 'page of the frontend');
  for (const { text, range } of file.comments) {
    for (const found of text.slice(0, COMMENT_LIMIT).matchAll(ADDRESS)) {
      const start = range.start + found.index;
      add({ start, end: start + found[0].length }, safe(found[0]), 'open the address');
    }
  }
  const graph = new StageGraph(file.stages);
  for (const stage of file.stages) {
    stageLinks(file, { stage, graph }, add);
    for (const outer of stage.instructions) {
      const instruction = heldBy(outer);
      if (instruction !== undefined) sourceLinks(instruction, find, add);
    }
  }
  return links;
}

type Add = (range: Range, target: string | undefined, tooltip: string) => void;

function stageLinks(
  file: Dockerfile,
  { stage, graph }: { readonly stage: Stage; readonly graph: StageGraph },
  add: Add,
): void {
  const { image } = stage.from;
  const name = image.text.includes('$') ? variablesIn(file).imageOf(image) : image.text;
  const isStage = graph.resolve({ kind: 'base', name, at: stage }) !== undefined;
  if (!isStage) add(image.range, imagePage(name), 'page of the image');
  for (const { kind, word } of stageReferences(stage)) {
    if (kind === 'base') continue;
    const used = graph.resolve({ kind, name: word.text, at: stage });
    // A name alone may be a build context of that name.
    if (used === undefined && /[:/@]/.test(word.text))
      add(word.range, imagePage(word.text), 'page of the image');
  }
}

function sourceLinks(instruction: Instruction, find: FileFinder, add: Add): void {
  if (instruction.kind === 'RUN') {
    for (const { type, from, source } of instruction.mounts)
      if (type === 'bind' && from === undefined && source !== undefined && !/[$]/.test(source.text))
        add(source.range, find(source.text), 'open the file');
  }
  if (instruction.kind !== 'COPY' && instruction.kind !== 'ADD') return;
  if (instruction.kind === 'COPY' && instruction.from !== undefined) return;
  for (const { text, range } of instruction.sources) {
    const repository = instruction.kind === 'ADD' ? repositoryPage(text) : undefined;
    if (repository !== undefined) add(range, safe(repository), 'open the repository');
    else if (/^https?:\/\//i.test(text))
      add(range, text.includes('$') ? undefined : safe(text), 'open the address');
    else if (!/[$*?[\]<]|:\/\//.test(text)) add(range, find(text), 'open the file');
  }
}

function safe(address: string): string | undefined {
  const isPlain = URL.canParse(address) && !/[\p{Cc}\s]/u.test(address);
  return isPlain ? address : undefined;
}

const GIT =
  /^(?:(?:git|ssh):\/\/|https?:\/\/(?=[^#?]*\.git(?:[#?/]|$)))(?:[^@/]*@)?([^/:]+)(:\d+)?\/([^#?]+)/i;
const GIT_BY_USER = /^[\w.-]+@([\w.-]+):()(?!\/\/)([^#?]+)/;

/** Where people read the repository, at the branch and in the folder that a git source names; undefined for other sources. */
function repositoryPage(source: string): string | undefined {
  const found = GIT.exec(source) ?? GIT_BY_USER.exec(source);
  const [, host = '', port = '', path = ''] = found ?? [];
  if (found === null || source.includes('$')) return undefined;
  const [, query = '', fragment = ''] = /^[^?#]*(?:\?([^#]*))?(?:#(.*))?$/.exec(source) ?? [];
  const asked = new URLSearchParams(query);
  const [ref = '', folder = ''] = fragment.split(':', 2);
  const named = ['ref', 'branch', 'tag', 'commit'].map((key) => asked.get(key) ?? '');
  const at = [ref, ...named].find((name) => name !== '') ?? '';
  const below = folder === '' ? (asked.get('subdir') ?? '') : folder;
  const isWeb = /^https?:/i.test(source);
  const page = `https://${host}${isWeb ? port : ''}/${path.replace(/\/+$/, '').replace(/\.git$/, '')}`;
  const tree = TREES[host.toLowerCase()];
  if (tree === undefined || (at === '' && below === '')) return page;
  const parts = [at === '' ? 'HEAD' : at, ...below.split('/').filter((part) => part !== '')];
  return `${page}/${tree}/${parts.map((part) => encodeURI(part)).join('/')}`;
}

/** How hosts of repositories name a branch's folder. */
const TREES: Readonly<Partial<Record<string, string>>> = {
  'github.com': 'tree',
  'gitlab.com': '-/tree',
  'codeberg.org': 'src',
  'bitbucket.org': 'src',
};

/** Where people read about an image; undefined for what has no page that is known. */
export function imagePage(name: string): string | undefined {
  if (name === 'scratch' || name.includes('$')) return undefined;
  const reference = tryReference(name);
  if (reference === undefined) return undefined;
  const { domain, path } = reference;
  if (domain === 'docker.io') {
    const official = path.startsWith('library/') ? path.slice('library/'.length) : undefined;
    return official === undefined
      ? `https://hub.docker.com/r/${path}`
      : `https://hub.docker.com/_/${official}`;
  }
  if (domain === 'mcr.microsoft.com') return `https://mcr.microsoft.com/artifact/mar/${path}`;
  if (domain === 'ghcr.io') {
    const [owner = '', ...rest] = path.split('/');
    return `https://github.com/${owner}/${rest[0] ?? ''}/pkgs/container/${encodeURIComponent(rest.join('/'))}`;
  }
  if (domain === 'quay.io') return `https://quay.io/repository/${path}`;
  if (domain === 'gcr.io') return `https://gcr.io/${path}`;
  if (domain === 'public.ecr.aws') return `https://gallery.ecr.aws/${path}`;
  return undefined;
}
