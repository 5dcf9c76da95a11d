/** Tests of document links. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDockerfile } from '../../../src/lib/dockerfile/parse.ts';
import { imagePage, linksOf } from './links.ts';

function links(text: string, files: readonly string[] = []): string[] {
  const file = parseDockerfile(text);
  const find = (path: string): string | undefined =>
    files.includes(path) ? `file:///c/${path}` : undefined;
  return linksOf(file, find).map(({ range, target }) => {
    const { start, end } = range;
    const from = file.lines.offset(start.line, start.character);
    return `${file.text.slice(from, file.lines.offset(end.line, end.character))} ${target ?? ''}`;
  });
}

test('images, addresses and files that exist are links', () => {
  const text = `# syntax=docker/dockerfile:1
# see https://example.com/a(b), or http://x.
FROM node:22 AS one
FROM one
COPY --from=ghcr.io/o/p/q:1 / /
COPY --from=named / /
COPY package.json no.json *.js /app/
ADD https://example.com/x.tgz $X /
RUN --mount=type=bind,source=package.json,target=/p --mount=type=cache,source=package.json,target=/c x
ONBUILD COPY package.json /
`;
  assert.deepEqual(links(text, ['package.json', '*.js']), [
    'docker/dockerfile:1 https://hub.docker.com/r/docker/dockerfile',
    'https://example.com/a https://example.com/a',
    'http://x http://x',
    'node:22 https://hub.docker.com/_/node',
    'ghcr.io/o/p/q:1 https://github.com/o/p/pkgs/container/p%2Fq',
    'package.json file:///c/package.json',
    'https://example.com/x.tgz https://example.com/x.tgz',
    'package.json file:///c/package.json',
    'package.json file:///c/package.json',
  ]);
});

test('the defaults of arguments and what mounts come from are looked through', () => {
  const text = `ARG V=22
FROM node:$V AS one
FROM node:$X
RUN --mount=type=bind,from=quay.io/a/b:1 --mount=type=bind,from=one x
`;
  assert.deepEqual(links(text), [
    'node:$V https://hub.docker.com/_/node',
    'quay.io/a/b:1 https://quay.io/repository/a/b',
  ]);
});

/** A source of ADD and the page that it leads to. */
const SOURCES: readonly (readonly [string, string])[] = [
  ['https://x.y/a.tgz?b=c#d', 'https://x.y/a.tgz?b=c#d'],
  ['https://github.com/o/r.git', 'https://github.com/o/r'],
  ['https://github.com/o/r.git#v1:docs/x', 'https://github.com/o/r/tree/v1/docs/x'],
  ['https://github.com/o/r.git#:docs', 'https://github.com/o/r/tree/HEAD/docs'],
  ['https://github.com/o/r.git?branch=x&subdir=y', 'https://github.com/o/r/tree/x/y'],
  ['https://u:p@gitlab.com/g/s/p.git#main', 'https://gitlab.com/g/s/p/-/tree/main'],
  ['https://git.x.y:8443/o/r.git#v1', 'https://git.x.y:8443/o/r'],
  ['git@github.com:o/r.git#v1', 'https://github.com/o/r/tree/v1'],
  ['ssh://git@git.x.y:2222/o/r.git', 'https://git.x.y/o/r'],
  ['git://a/b', 'https://a/b'],
  ['git@github.com:$O/r.git', ''],
  ['https://$HOST/x', ''],
  ['git@host', ''],
];

for (const [source, page] of SOURCES) {
  test(`the page of ${source}`, () => {
    const wanted = page === '' ? [] : [`${source} ${page}`];
    assert.deepEqual(links(`FROM scratch\nADD ${source} /x/\n`), wanted);
    assert.deepEqual(links(`FROM scratch\r\nONBUILD ADD \\\r\n  ${source} /x/\r\n`), wanted);
  });
}

test('only registries with known pages have links', () => {
  assert.equal(imagePage('quay.io/a/b:1'), 'https://quay.io/repository/a/b');
  assert.equal(
    imagePage('mcr.microsoft.com/dotnet/sdk'),
    'https://mcr.microsoft.com/artifact/mar/dotnet/sdk',
  );
  assert.equal(imagePage(`node:22@sha256:${'a'.repeat(64)}`), 'https://hub.docker.com/_/node');
  assert.equal(imagePage('index.docker.io/a/b'), 'https://hub.docker.com/r/a/b');
  for (const name of ['scratch', 'localhost:5000/a', 'x.y:5000/a/b:1', 'a$b', '', 'UPPER'])
    assert.equal(imagePage(name), undefined);
});
