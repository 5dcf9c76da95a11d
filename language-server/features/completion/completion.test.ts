/** Tests of completion; `|` in a text marks the cursor. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InsertTextFormat, type CompletionItem } from 'vscode-languageserver/node';
import { parseDockerignore } from '../../../src/lib/dockerfile/dockerignore.ts';
import { parseDockerfile } from '../../../src/lib/dockerfile/parse.ts';
import { completionsAt, NO_SOURCES, type Sources } from './completion.ts';
import { type ImageSource, newestFirst } from './images.ts';
import type { ImageFiles } from './inside.ts';
import { resolveItem } from './items.ts';
import type { ContextFiles } from './paths.ts';

async function complete(marked: string, sources: Partial<Sources> = {}): Promise<CompletionItem[]> {
  const offset = marked.indexOf('|');
  const file = parseDockerfile(marked.replace('|', ''));
  const { items } = await completionsAt(file, offset, { ...NO_SOURCES, ...sources });
  return items;
}

async function labels(marked: string, sources: Partial<Sources> = {}): Promise<string> {
  return (await complete(marked, sources)).map(({ label }) => label).join(' ');
}

/** The text after the first item (or the one of that label) is taken. */
async function taken(
  marked: string,
  label?: string,
  sources: Partial<Sources> = {},
): Promise<string> {
  const items = await complete(marked, sources);
  const item = label === undefined ? items[0] : items.find((one) => one.label === label);
  const edit = item?.textEdit;
  assert.ok(edit !== undefined && 'range' in edit, `no item ${label ?? ''} for ${marked}`);
  const text = marked.replace('|', '');
  const { lines } = parseDockerfile(text);
  const { start, end } = edit.range;
  const from = lines.offset(start.line, start.character);
  const to = lines.offset(end.line, end.character);
  return text.slice(0, from) + edit.newText + text.slice(to);
}

const ALL =
  'ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR';

test('all keywords are offered where an instruction begins', async () => {
  assert.equal(await labels('FROM a\n|'), ALL);
  assert.equal(await labels('FROM a\nR|'), ALL);
  assert.equal(await labels('FROM a\n  |\nRUN x\n'), ALL);
});

test('before the first FROM only ARG and FROM make sense', async () => {
  assert.equal(await labels('|'), 'ARG FROM');
  assert.equal(await labels('F|'), 'ARG FROM');
});

test('the keyword that is being typed is replaced, in the casing of the file', async () => {
  assert.equal(await taken('from a\nru|n', 'add'), 'from a\nadd ');
  assert.match(await labels('from a\n|'), /^add arg cmd/);
});

test('ONBUILD offers the instructions that it may hold, and their own completions', async () => {
  const held = ALL.replace('FROM ', '').replace('MAINTAINER ', '').replace('ONBUILD ', '');
  assert.equal(await labels('FROM a\nONBUILD |'), held);
  assert.match(await labels('FROM a\nONBUILD COPY --fr|'), /--from/);
  assert.match(await labels('FROM a\nENV X=1\nONBUILD WORKDIR $|'), /^X /);
  assert.match(await labels('FROM a\nONBUILD EXPOSE 80/|'), /80\/tcp/);
});

test('nothing is offered in plain arguments, comments, shell lines and heredocs', async () => {
  for (const text of [
    'FROM a\nRUN x |y',
    'FROM a\n# co|',
    'FROM a\nRUN x \\\n  |y',
    'FROM a\nRUN <<E\nab|\nE\n',
    'FROM a\nFOO x|',
    'FROM a\nWORKDIR /x|',
    'FROM a AS b c|',
    'FROM a\nCOPY --from=x a|',
  ]) {
    assert.equal(await labels(text), '', text);
  }
});

test("an instruction's flags are offered where they may stand, without those already there", async () => {
  assert.equal(await labels('FROM --|'), '--platform');
  assert.equal(await labels('FROM a\nRUN -|'), '--mount --network --security --device');
  assert.equal(await labels('FROM a\nRUN --mo|'), '--mount --network --security --device');
  assert.equal(
    await labels('FROM a\nCOPY --link --exclude=x --|'),
    '--chown --chmod --exclude --from --parents',
  );
  assert.equal(
    await labels('FROM a\nADD --|'),
    '--chown --chmod --link --exclude --checksum --keep-git-dir --unpack',
  );
  assert.equal(
    await labels('FROM a\nHEALTHCHECK \\\n  --interval=1s \\\n  --|'),
    '--timeout --start-period --start-interval --retries',
  );
  assert.equal(await labels('FROM a\nRUN x --|'), '');
  assert.equal(await taken('FROM a\nRUN --mo| x', '--mount'), 'FROM a\nRUN --mount= x');
  assert.equal(await taken('FROM a\nRUN --m|=x', '--mount'), 'FROM a\nRUN --mount=x');
});

test("flags' values are offered behind the equals sign", async () => {
  assert.equal(await labels('FROM a\nRUN --network=|'), 'default none host');
  assert.equal(await labels('FROM a\nRUN --security=|'), 'sandbox insecure');
  assert.equal(await labels('FROM a\nCOPY --link=|'), 'true false');
  assert.match(await labels('FROM --platform=|'), /^\$BUILDPLATFORM \$TARGETPLATFORM linux\/amd64/);
  assert.match(await labels('FROM a\nADD --checksum=|'), /sha256:/);
  assert.match(await labels('FROM a\nHEALTHCHECK --retries=|'), /3/);
  assert.equal(await taken('FROM a\nRUN --network=no| x', 'none'), 'FROM a\nRUN --network=none x');
});

test('mounts have types, the keys of their type, and values', async () => {
  const types = 'type=bind type=cache type=tmpfs type=secret type=ssh';
  assert.match(await labels('FROM a\nRUN --mount=|'), new RegExp(`^${types} target source from`));
  assert.equal(
    await labels('FROM a\nRUN --mount=type=cache,target=/x,|'),
    'id sharing from source readonly readwrite mode uid gid',
  );
  assert.equal(
    await labels('FROM a\nRUN --mount=type=secret,|'),
    'id target env required source mode uid gid',
  );
  assert.equal(await labels('FROM a\nRUN --mount=type=tmpfs,dst=/x,|'), 'size');
  assert.equal(
    await labels('FROM a\nRUN --mount=type=cache,sharing=|,target=/x'),
    'shared private locked',
  );
  assert.equal(await labels('FROM a\nRUN --mount=type=|'), 'bind cache tmpfs secret ssh');
  assert.equal(
    await taken('FROM a\nRUN --mount=type=cache,sharing=p|,target=/x y', 'private'),
    'FROM a\nRUN --mount=type=cache,sharing=private,target=/x y',
  );
  assert.match(await labels('FROM x AS one\nFROM a\nRUN --mount=type=bind,from=o|'), /^one /);
});

test('directives are offered at the top, with values', async () => {
  assert.equal(await labels('# |'), 'syntax escape check');
  assert.equal(await labels('# syntax=x\n#|'), 'escape check');
  assert.equal(await labels('FROM a\n# s|'), '');
  assert.equal(await labels('# escape=|\n'), '\\ `');
  assert.match(await labels('# check=skip=|'), /^all ConsistentInstructionCasing/);
  assert.equal(
    await taken('# check=skip=FromAsCasing,Jso|', 'JSONArgsRecommended'),
    '# check=skip=FromAsCasing,JSONArgsRecommended',
  );
  assert.equal(
    await taken('# syntax=docker|\nFROM a', 'docker/dockerfile:1'),
    '# syntax=docker/dockerfile:1\nFROM a',
  );
});

test('stages and images are offered for FROM, COPY --from and AS', async () => {
  const text = 'FROM a AS one\nFROM b AS two\n';
  assert.match(await labels(`${text}FROM |`), /^one two scratch alpine/);
  assert.match(await labels(`${text}COPY --from=|`), /^one two alpine/);
  assert.match(await labels('FROM |\nFROM b AS two\n'), /^scratch/);
  assert.match(await labels(`${text}ONBUILD RUN --mount=from=|`), /^one two alpine/);
  assert.equal(await taken('FROM a |'), 'FROM a AS ');
  assert.equal(await taken('from a |'), 'from a as ');
});

test('variables in force are offered behind a dollar, the last one first', async () => {
  const text = 'ARG G=1\nFROM a\nARG G\nENV A=1 B=$A\n';
  assert.match(await labels(`${text}WORKDIR $|`), /^B A G HTTP_PROXY/);
  assert.match(await labels(`${text}RUN echo "\${|`), /^B A G /);
  assert.match(await labels(`${text}COPY <<E /x\n$|\nE\n`), /^B A G /);
  assert.match(await labels('ARG G=1\nFROM x:$|'), /^G TARGETPLATFORM/);
  assert.match(await labels('ARG G=1\nFROM --platform=$|'), /^G TARGETPLATFORM/);
  assert.equal(await taken(`FROM a\nENV AB=1\nRUN \${A|x`, 'AB'), 'FROM a\nENV AB=1\nRUN ${AB}');
  assert.equal(
    await taken(`FROM a\nENV AB=1\nRUN \${A|} x`, 'AB'),
    'FROM a\nENV AB=1\nRUN ${AB} x',
  );
  assert.equal(await labels('FROM a\nRUN \\$|'), '');
});

test("a variable's modifiers are offered in braces", async () => {
  assert.equal(await labels('FROM a\nENV B=${A:|'), ':-word :+word :?message');
  assert.equal(await labels('FROM a\nENV B=${A#|}'), '#pattern ##pattern');
});

test('ARG offers global arguments and those that the builder sets', async () => {
  assert.match(await labels('ARG V=1\nFROM a\nARG |'), /^V TARGETPLATFORM/);
  assert.match(await labels('ARG |\nFROM a\n'), /^BUILDKIT_BUILD_NAME/);
});

test('values of a known kind are offered', async () => {
  assert.match(await labels('FROM a\nEXPOSE |'), /(^| )80( |$)/);
  assert.equal(await labels('FROM a\nEXPOSE 53/|'), '53/tcp 53/udp 53/sctp');
  assert.match(await labels('FROM a\nSTOPSIGNAL |'), /^SIGTERM /);
  assert.equal(await labels('FROM a\nHEALTHCHECK --interval=1s |'), 'CMD NONE');
  assert.match(await labels('FROM a\nLABEL |'), /org\.opencontainers\.image\.source/);
  assert.match(
    await labels('FROM a\nRUN groupadd app && useradd -g app app\nUSER |'),
    /^app:app app root/,
  );
  assert.match(await labels('FROM a\nRUN adduser -D me\nCOPY --chown=|'), /^me root:root/);
});

const FILES: ContextFiles = {
  list: (directory) =>
    Promise.resolve(
      directory === ''
        ? [
            { name: 'b.txt', isDirectory: false },
            { name: 'src', isDirectory: true },
            { name: 'node_modules', isDirectory: true },
            { name: '.env', isDirectory: false },
            { name: 'a b', isDirectory: false },
            { name: 'x[1].txt', isDirectory: false },
            { name: 'no$pe', isDirectory: false },
            { name: 'no"pe', isDirectory: false },
            { name: 'no\npe', isDirectory: false },
          ]
        : [{ name: `in-${directory.replaceAll('/', '-')}`, isDirectory: false }],
    ),
  ignored: () => Promise.resolve(parseDockerignore('node_modules\n.env\n')),
};

test('sources of COPY and ADD are the files of the context that are not ignored', async () => {
  const files = FILES;
  assert.equal(await labels('FROM a\nCOPY |', { files }), 'src/ b.txt x[1].txt');
  assert.equal(await labels('FROM a\nADD --link b|', { files }), 'src/ b.txt x[1].txt');
  assert.equal(await labels('FROM a\nCOPY .|', { files }), 'src/ b.txt x[1].txt');
  assert.equal(await taken('FROM a\nCOPY src/|', undefined, { files }), 'FROM a\nCOPY src/in-src');
  assert.equal(
    await taken('FROM a\nCOPY ./src/../x/|y /', undefined, { files }),
    'FROM a\nCOPY ./src/../x/in-x /',
  );
  assert.equal(
    await taken('FROM a\nCOPY ["b.txt", "sr|"]', 'src/', { files }),
    'FROM a\nCOPY ["b.txt", "src/"]',
  );
  assert.equal(
    await taken('FROM a\nRUN --mount=type=bind,source=|,target=/x y', 'src/', { files }),
    'FROM a\nRUN --mount=type=bind,source=src/,target=/x y',
  );
  assert.equal(await taken('FROM a\nCOPY ["|"]', 'a b', { files }), 'FROM a\nCOPY ["a b"]');
  assert.equal(await taken('FROM a\nCOPY x|', 'x[1].txt', { files }), 'FROM a\nCOPY x[[]1].txt');
  assert.equal(
    await taken('FROM a\nRUN --mount=source=x|,target=/y z', 'x[1].txt', { files }),
    'FROM a\nRUN --mount=source=x[1].txt,target=/y z',
  );
  assert.equal(
    await taken('FROM a\nCOPY s|rv/x.js y/ /', 'src/', { files }),
    'FROM a\nCOPY src/x.js y/ /',
  );
  assert.equal(
    await taken('FROM a\nCOPY ["s|rv/x.js", "/"]', 'b.txt', { files }),
    'FROM a\nCOPY ["b.txt", "/"]',
  );
  for (const text of ['../|', 'https://|', 'x /|', '--from=b |', '<<E|', '*|']) {
    assert.equal(await labels(`FROM a\nCOPY ${text}`, { files }), '', text);
  }
});

test('patterns of --exclude are what the sources hold, the context while there is none', async () => {
  const files = FILES;
  assert.equal(await labels('FROM a\nCOPY --exclude=|', { files }), 'src/ b.txt x[1].txt');
  assert.equal(await labels('FROM a\nADD --exclude=| . /', { files }), 'src/ b.txt x[1].txt');
  assert.equal(await labels('FROM a\nCOPY --exclude=| src /', { files }), 'in-src');
  assert.equal(await labels('FROM a\nCOPY --exclude=| ./src/ x/ /', { files }), 'in-src in-x');
  assert.equal(await labels('FROM a\nCOPY --exclude=a/| src/ /', { files }), 'in-src-a');
  assert.equal(await labels('FROM a\nONBUILD COPY --exclude=| ["src", "/"]', { files }), 'in-src');
  assert.equal(
    await taken('FROM a\nCOPY --exclude=!b|.tx . /', 'b.txt', { files }),
    'FROM a\nCOPY --exclude=!b.txt . /',
  );
  assert.equal(
    await taken('FROM a\nCOPY --link --exclude=x --exclude=s|\\\n . /', 'src/', { files }),
    'FROM a\nCOPY --link --exclude=x --exclude=src/\\\n . /',
  );
  for (const text of [
    '**/|',
    '/|',
    '../|',
    '../../| src/',
    '"|',
    '| $X/',
    '| src*/ ',
    '| https://x/',
  ])
    assert.equal(await labels(`FROM a\nCOPY --exclude=${text} /`, { files }), '', text);
});

const IMAGES: ImageSource = {
  local: () => ({ value: ['node:22', 'mine/app:dev'], pending: false }),
  tags: ({ path }) =>
    path === 'library/node'
      ? { value: ['20', '22', 'latest', '22-alpine'], pending: false }
      : { value: undefined, pending: true },
  repositories: (place) => ({
    value: place === 'ghcr.io' ? ['ghcr.io/us/app', 'ghcr.io/us/base'] : undefined,
    pending: place === 'someone',
  }),
  platforms: (name) => ({
    value: name === 'node:22' ? ['linux/s390x', 'linux/amd64'] : undefined,
    pending: false,
  }),
  digest: (name) => ({
    value: name === 'node:22' ? `sha256:${'a'.repeat(64)}` : undefined,
    pending: name !== 'node:22',
  }),
};

test('local images and the tags of registries are offered, and what is pending is said', async () => {
  const images = IMAGES;
  assert.match(await labels('FROM |', { images }), /^node:22 mine\/app:dev scratch alpine/);
  assert.equal(await labels('FROM node:|', { images }), '22 latest 22-alpine 20');
  assert.equal(await taken('FROM node:2|', '22-alpine', { images }), 'FROM node:22-alpine');
  assert.equal(await taken('FROM al|pin:3 AS x', 'alpine', { images }), 'FROM alpine:3 AS x');
  assert.equal(await taken('FROM al|pin@sha256:a', 'alpine', { images }), 'FROM alpine@sha256:a');
  assert.equal(await taken('FROM no|de:20 AS x', 'node:22', { images }), 'FROM node:22 AS x');
  assert.equal(
    await taken('FROM x\nCOPY --from=ghcr.io/us/a|p:1 a b', 'ghcr.io/us/app', { images }),
    'FROM x\nCOPY --from=ghcr.io/us/app:1 a b',
  );
  const file = parseDockerfile('FROM other:\n');
  const pending = await completionsAt(file, 11, { ...NO_SOURCES, images });
  assert.deepEqual(pending, { items: [], isIncomplete: true });
});

test('repositories of a registry and of a namespace are offered once it is named', async () => {
  const images = IMAGES;
  assert.equal(await labels('FROM ghcr.io/|', { images }), 'ghcr.io/us/app ghcr.io/us/base');
  assert.equal(await taken('FROM ghcr.io/us/b|', undefined, { images }), 'FROM ghcr.io/us/base');
  assert.equal(await labels('FROM x\nCOPY --from=ghcr.io/us/a|', { images }), 'ghcr.io/us/app');
  const file = parseDockerfile('FROM someone/\n');
  const pending = await completionsAt(file, 13, { ...NO_SOURCES, images });
  assert.deepEqual(pending, { items: [], isIncomplete: true });
});

test('the platforms of the image come first', async () => {
  const found = await labels('FROM --platform=| node:22\n', { images: IMAGES });
  assert.match(found, /^linux\/s390x linux\/amd64 /);
  assert.equal(found.split(' ').filter((label) => label === 'linux/amd64').length, 1);
});

test('behind an @ stands the digest of the name', async () => {
  const images = IMAGES;
  const digest = `sha256:${'a'.repeat(64)}`;
  assert.equal(await taken('FROM node:22@|', undefined, { images }), `FROM node:22@${digest}`);
  assert.equal(await taken('FROM node:22@sha|', undefined, { images }), `FROM node:22@${digest}`);
  const file = parseDockerfile('FROM x:1@\n');
  const pending = await completionsAt(file, 9, { ...NO_SOURCES, images });
  assert.deepEqual(pending, { items: [], isIncomplete: true });
});

test('tags are sorted with the newest version first', () => {
  const tags = ['alpine', '9', '22.1', '22.1-slim', 'latest', '22', '22.10', 'v23', '3f2a'];
  assert.deepEqual(tags.sort(newestFirst), [
    'latest',
    'v23',
    '22',
    '22.10',
    '22.1',
    '22.1-slim',
    '9',
    '3f2a',
    'alpine',
  ]);
});

const INSIDE: ImageFiles = {
  listed: () => Promise.resolve(true),
  built: (target) => (target === 'made' ? 'sha256:made' : undefined),
  list: (image, directory) => {
    const known: Record<string, Record<string, string>> = {
      'sha256:made': { '/': 'app/ etc/', '/app': 'bin/ run.sh .env a;b' },
      'debian:12': { '/': 'bin/ etc/ usr/', '/usr': 'bin/ lib/', '/usr/bin': 'env apt-get' },
      slow: {},
    };
    const names = known[image]?.[directory]?.split(' ');
    const value = names?.map((name) => ({
      name: name.replace('/', ''),
      isDirectory: name.endsWith('/'),
    }));
    return Promise.resolve({ value, pending: image === 'slow' });
  },
  accounts: (image) => {
    const users = { users: ['root', 'www-data'], groups: ['root', 'adm', 'www-data'] };
    const value = image === 'debian:12' ? users : undefined;
    return Promise.resolve({ value, pending: false });
  },
};

const PATHS: readonly (readonly [string, string])[] = [
  ['FROM debian:12\nRUN cat /us|', 'bin/ etc/ usr/'],
  ['FROM debian:12\nRUN cat </usr/bin/|', 'apt-get env'],
  ['FROM debian:12\nRUN <<E\ncat /usr/|\nE\n', 'bin/ lib/'],
  ['FROM debian:12\nCMD ["/usr/b|"]', 'bin/ lib/'],
  ['FROM debian:12\nHEALTHCHECK CMD /usr/|', 'bin/ lib/'],
  ['FROM debian:12\nSHELL ["/usr/|"]', 'bin/ lib/'],
  ['FROM debian:12\nONBUILD RUN ls /usr/|', 'bin/ lib/'],
  ['FROM debian:12\nWORKDIR /usr/bin/|', ''],
  ['FROM debian:12\nWORKDIR /usr\nWORKDIR b|', 'bin/ lib/'],
  ['FROM debian:12\nVOLUME /u|', 'bin/ etc/ usr/'],
  ['FROM debian:12\nCOPY a.txt /usr/|', 'bin/ lib/'],
  ['FROM debian:12\nCOPY ["a.txt", "/usr/|"]', 'bin/ lib/'],
  ['FROM a AS b\nFROM a\nCOPY --from=debian:12 /usr/|', 'bin/ lib/'],
  ['FROM debian:12 AS b\nFROM a\nCOPY --from=b usr/bin/| /', 'apt-get env'],
  ['FROM debian:12 AS b\nFROM a\nCOPY --from=0 ["/usr/|", "/"]', 'bin/ lib/'],
  [
    'FROM debian:12 AS b\nFROM a\nRUN --mount=type=bind,from=b,source=/usr/|,target=/x y',
    'bin/ lib/',
  ],
  ['FROM debian:12\nRUN --mount=type=cache,target=/usr/| x', 'bin/ lib/'],
  ['FROM debian:12 AS made\nFROM made\nRUN /app/|', 'bin/ run.sh'],
  ['FROM debian:12 AS made\nFROM made\nRUN /usr/|', 'bin/ lib/'],
  ['FROM x AS a\nWORKDIR /srv/app\nRUN mkdir -p /srv/data\nFROM a\nCOPY x /srv/|', 'app/ data/'],
  ['FROM scratch\nCOPY tool /bin/tool\nRUN /bin/|', 'tool'],
  ['FROM scratch\nWORKDIR /a/b\nCOPY . sub/\nRUN /a/b/|', 'sub/'],
  ['FROM scratch\nWORKDIR /a\nWORKDIR $X\nCOPY . sub/\nRUN /|', 'a/'],
  ['FROM debian:12\nRUN --mount=type=cache,id=/usr/| x', ''],
  ['FROM debian:12\nRUN https://x/|', ''],
  ['FROM x\nCOPY --from=debian:12 --exclude=| /usr/ /', 'bin/ lib/'],
  ['FROM debian:12 AS b\nFROM x\nCOPY --exclude=| --from=b usr /', 'bin/ lib/'],
  ['FROM x\nCOPY --exclude=usr/| --from=debian:12 . /', 'bin/ lib/'],
  ['FROM debian:12\nRUN a$B/|', ''],
  ['FROM $X\nRUN /|', ''],
];

for (const [text, wanted] of PATHS) {
  test(`paths inside images: ${JSON.stringify(text)}`, async () => {
    assert.equal(await labels(text, { inside: INSIDE }), wanted);
  });
}

test('a path inside an image is replaced as far as it is written, and more may come', async () => {
  const inside = INSIDE;
  const taken1 = await taken('FROM debian:12\nCMD ["/usr/li|b", "x"]', 'bin/', { inside });
  assert.equal(taken1, 'FROM debian:12\nCMD ["/usr/bin/", "x"]');
  const file = parseDockerfile('FROM slow\nRUN /\n');
  const pending = await completionsAt(file, 15, { ...NO_SOURCES, inside });
  assert.deepEqual(pending, { items: [], isIncomplete: true });
});

test('users and groups are those of the image and of the stage', async () => {
  const inside = INSIDE;
  const base = 'FROM debian:12\nRUN useradd app\n';
  assert.equal(
    await labels(`${base}USER |`, { inside }),
    'app root:root www-data:www-data root www-data nobody 1000:1000',
  );
  assert.equal(await labels(`${base}USER app:|`, { inside }), 'app:root app:adm app:www-data');
  assert.match(await labels(`${base}COPY --chown=|`, { inside }), /^app .*www-data/);
  assert.equal(
    await taken(`${base}COPY --chown=app:a| x /`, 'app:adm', { inside }),
    `${base}COPY --chown=app:adm x /`,
  );
});

test("the linter's comments are completed anywhere, with the rules that are not there yet", async () => {
  assert.equal(await labels('FROM a\n# hadolint |\nRUN x\n'), 'ignore= global ignore=');
  assert.match(await labels('FROM a\n# hadolint ignore=|\nRUN x\n'), /DL3008/);
  assert.match(await labels('FROM a\n# pinnace ignore=|\r\nRUN x\r\n'), /DL3008/);
  assert.match(await labels('FROM a\n# shellcheck disable=|\nRUN x\n'), /^SC\d{4}( SC\d{4})+$/);
  assert.doesNotMatch(await labels('FROM a\n# hadolint ignore=DL3008,|\nRUN x\n'), /DL3008/);
  assert.equal(
    await taken('# hadolint global ignore=DL3008, DL30|\nFROM a\n', 'DL3009'),
    '# hadolint global ignore=DL3008, DL3009\nFROM a\n',
  );
  assert.equal(await labels('FROM a\n# something |\nRUN x\n'), '');
});

test('snippets come only where the client can take them', async () => {
  const items = await complete('FROM a\nRU|', { snippets: true });
  const found = items.filter(
    ({ insertTextFormat }) => insertTextFormat === InsertTextFormat.Snippet,
  );
  assert.ok(found.some(({ label }) => label === 'RUN <<EOF …'));
  assert.ok(found.every(({ label }) => label.startsWith('RUN')));
  assert.ok(
    (await complete('|', { snippets: true })).some(({ label }) => /multi-stage/.test(label)),
  );
  assert.ok(
    (await complete('from a\nru|', { snippets: true })).some(({ label }) => label === 'run …'),
  );
  assert.match(await labels('FROM a\nSHELL |'), /^\["\/bin\/bash", "-o", "pipefail", "-c"\]/);
});

test('the manual is added when an item is resolved', async () => {
  for (const [text, label, wanted] of [
    ['FROM a\n|', 'COPY', /docs\.docker\.com/],
    ['FROM a\nRUN --|', '--mount', /Types: bind/],
    ['FROM a\nRUN --mount=type=cache,|', 'sharing', /at once/],
    ['FROM a\nARG |', 'TARGETARCH', /architecture/],
    ['# |', 'escape', /backtick/],
  ] as const) {
    const item = (await complete(text)).find((one) => one.label === label);
    assert.ok(item !== undefined);
    const { documentation } = resolveItem(item);
    assert.ok(typeof documentation === 'object');
    assert.match(documentation.value, wanted);
  }
  assert.deepEqual(resolveItem({ label: 'x', data: 'flag/NO/x' }), {
    label: 'x',
    data: 'flag/NO/x',
  });
});

test('an answer comes at every offset of a difficult file', async () => {
  const text =
    '# syntax=a\nARG A=1\nFROM --platform=$A x AS y\nRUN --mount=type=cache,target=/x \\\n# c\n\n  echo "${A:-b}" <<E\nx\nE\nCOPY ["a", "b"]\nONBUILD COPY --from=y a b\n\\\n';
  const file = parseDockerfile(text);
  for (let offset = 0; offset <= text.length; offset++) {
    await completionsAt(file, offset, {
      images: IMAGES,
      files: FILES,
      inside: INSIDE,
      snippets: true,
    });
  }
});
