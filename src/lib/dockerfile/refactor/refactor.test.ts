/** Tests of the refactorings: a text with the cursor or selection between bars, what is offered, and the text after it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyEdits } from '../lint/edits.ts';
import { lintDockerfile } from '../lint/lint.ts';
import { parseDockerfile } from '../parse.ts';
import { atomsOf } from '../shell/atoms.ts';
import { scriptsOf } from '../shell/scripts.ts';
import type { Dockerfile } from '../syntax.ts';
import type { Refactoring } from './refactoring.ts';
import { refactoringsAt } from './table.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}`;

interface Asked {
  readonly text: string;
  readonly file: Dockerfile;
  readonly found: readonly Refactoring[];
}

/** What is offered at the mark `¦`, or between two of them. */
function at(marked: string): Asked {
  const start = marked.indexOf('¦');
  const end = marked.lastIndexOf('¦');
  const text = marked.replaceAll('¦', '');
  const file = parseDockerfile(text);
  const selection = { start, end: end > start ? end - 1 : start };
  const digestOf = (image: string): string | undefined =>
    image.startsWith('known') ? DIGEST : undefined;
  const found = refactoringsAt({ file, selection, scripts: scriptsOf(file), digestOf });
  return { text, file, found };
}

function titles(marked: string): readonly string[] {
  return at(marked).found.map(({ title }) => title);
}

function after({ text, found }: Asked, title: string): string {
  const chosen = found.find((each) => each.title === title);
  assert.ok(
    chosen !== undefined,
    `no '${title}' among: ${found.map((each) => each.title).join(' · ')}`,
  );
  return applyEdits(text, chosen.edits);
}

/** The words that the shells of a file get, in order; what only joins commands is left out. */
function words(file: Dockerfile): readonly string[] {
  return scriptsOf(file).flatMap(({ script }) => {
    assert.deepEqual(script?.problems, []);
    return atomsOf(script)
      .atoms.filter(
        ({ kind, text }) =>
          kind !== 'comment' && (kind !== 'operator' || !['&&', ';'].includes(text)),
      )
      .map(({ text }) => text);
  });
}

/** A row: the marked text, the title, the text after; `same` rows keep all words in their order. */
type Row = readonly [string, string, string];

const SAME: readonly Row[] = [
  ['FROM a\n¦RUN x\nRUN y\n', 'Merge 2 RUN instructions', 'FROM a\nRUN x \\\n    && y\n'],
  [
    'FROM a\nRUN x\n# why\n\nRUN --network=none y\nRUN¦ --network=none z || w\n',
    'Merge 2 RUN instructions',
    'FROM a\nRUN x\n# why\n\nRUN --network=none y \\\n    && { z || w; }\n',
  ],
  [
    'FROM a\n¦RUN x; v\n# why\n\nRUN y; z\r\nRUN z¦\nRUN q\n',
    'Merge 3 RUN instructions',
    'FROM a\nRUN x; v \\\n    # why\n    && { y; z; } \\\n    && z\nRUN q\n',
  ],
  [
    '# escape=`\nFROM debian\n¦RUN x\nRUN y\n',
    'Merge 2 RUN instructions',
    '# escape=`\nFROM debian\nRUN x `\n    && y\n',
  ],
  ['FROM a\nRUN x && ¦y\n', 'Split this RUN into 2', 'FROM a\nRUN x\nRUN y\n'],
  [
    'FROM a\nRUN --mount=type=cache,target=/c x \\\n  # why\n  && y | z ¦\\\n  && V=1 w\n',
    'Split this RUN into 3',
    'FROM a\nRUN --mount=type=cache,target=/c x\n# why\nRUN --mount=type=cache,target=/c y | z\nRUN --mount=type=cache,target=/c V=1 w\n',
  ],
  [
    'FROM a\r\nRUN x && ¦y && cd /z\r\n',
    'Split this RUN before this command',
    'FROM a\r\nRUN x\r\nRUN y && cd /z\r\n',
  ],
  ['FROM a\nRUN a; b; ¦c &\n', 'Change to a heredoc', 'FROM a\nRUN <<EOF\na\nb\nc &\nEOF\n'],
  [
    'FROM a\nRUN ! a && if ¦b; then c; fi && d\n',
    'Change to a heredoc',
    'FROM a\nRUN <<EOF\n! a &&\nif b; then c; fi &&\nd\nEOF\n',
  ],
  [
    'FROM a\nSHELL ["/bin/bash", "-ec"]\nRUN a && ¦b\n',
    'Change to a heredoc',
    'FROM a\nSHELL ["/bin/bash", "-ec"]\nRUN <<EOF\na\nb\nEOF\n',
  ],
  [
    "FROM a\nRUN a; ¦echo 'x \\\n  y'\n",
    'Change to a heredoc',
    "FROM a\nRUN <<EOF\na\necho 'x   y'\nEOF\n",
  ],
  [
    'FROM a\nRUN set -eux; \\\n  a b \\\n    c; \\\n  d ¦EOF\n',
    'Change to a heredoc',
    'FROM a\nRUN <<EOF\nset -eux\na b \\\n    c\nd EOF\nEOF\n',
  ],
  [
    'FROM a\nRUN <<X\na\n# why\nb && c &\nd ¦$V\nX\n',
    'Change to a command line',
    'FROM a\nRUN a; \\\n    # why\n    b && c & \\\n    d $V\n',
  ],
  // What ONBUILD holds.
  [
    'FROM a\nONBUILD RUN x && ¦y\n',
    'Split this RUN into 2',
    'FROM a\nONBUILD RUN x\nONBUILD RUN y\n',
  ],
  [
    'FROM a\nONBUILD \\\n  RUN --network=none x && y && ¦z\n',
    'Split this RUN before this command',
    'FROM a\nONBUILD \\\n  RUN --network=none x && y\nONBUILD \\\n  RUN --network=none z\n',
  ],
  [
    'FROM a\nonbuild run x¦\n# why\nONBUILD RUN y || z\nRUN w\n',
    'Merge 2 RUN instructions',
    'FROM a\nonbuild run x \\\n    # why\n    && { y || z; }\nRUN w\n',
  ],
  ['FROM a\nONBUILD RUN ¦a; b\n', 'Change to a heredoc', 'FROM a\nONBUILD RUN <<EOF\na\nb\nEOF\n'],
  [
    'FROM a\nONBUILD RUN <<EOF\n¦a\nb c\nEOF\n',
    'Change to a command line',
    'FROM a\nONBUILD RUN a; \\\n    b c\n',
  ],
];

const OTHER: readonly Row[] = [
  [
    'FROM a\n  ONBUILD \\\n  RUN ¦x \\\n # why\n  "y z"\n',
    'Change RUN to the exec form',
    'FROM a\n  # why\n  ONBUILD \\\n  RUN ["x", "y z"]\n',
  ],
  [
    'FROM a\nSHELL ["/bin/bash", "-c"]\nONBUILD RUN ["x", "y z"]¦\n',
    'Change RUN to the shell form',
    'FROM a\nSHELL ["/bin/bash", "-c"]\nONBUILD RUN x \'y z\'\n',
  ],
  [
    'FROM a\nONBUILD HEALTHCHECK CMD ["x¦"]\n',
    'Change HEALTHCHECK to the shell form',
    'FROM a\nONBUILD HEALTHCHECK CMD x\n',
  ],
  [
    'FROM a\nONBUILD RUN npm ¦ci\n',
    'Add a cache mount for npm',
    'FROM a\nONBUILD RUN --mount=type=cache,target=/root/.npm npm ci\n',
  ],
  [
    'FROM a AS b\nUSER u\nFROM b\nUSER root\nONBUILD RUN npm ¦ci\n',
    'Add a cache mount for npm',
    'FROM a AS b\nUSER u\nFROM b\nUSER root\nONBUILD RUN --mount=type=cache,target=/root/.npm npm ci\n',
  ],
  [
    'FROM a\n¦RUN cd /x && make\nRUN y\n',
    'Merge 2 RUN instructions',
    'FROM a\nRUN ( cd /x && make ) \\\n    && y\n',
  ],
  [
    'FROM a\nRUN a b \\\n  c && ¦d\n',
    'Change to a heredoc',
    'FROM a\nRUN <<EOF\nset -e\na b \\\n  c\nd\nEOF\n',
  ],
  [
    'FROM a\nRUN --network=none <<-X¦\n\tset -e\n\ta b\n\t# why\n\tc\nX\n',
    'Change to a command line',
    'FROM a\nRUN --network=none a b \\\n    # why\n    && c\n',
  ],
  [
    'FROM a\r\nRUN \\\r\n  # one\r\n  x \\\r\n  # two\r\n  && ¦y z \\\r\n # three\r\n w\r\n',
    'Change to a heredoc',
    'FROM a\r\nRUN \\\r\n  # one\r\n  <<EOF\r\nset -e\r\nx\r\n# two\r\n# three\r\ny z w\r\nEOF\r\n',
  ],
  [
    'FROM a\nRUN x; ¦y \\\n # why\n  z\n',
    'Change to a heredoc',
    'FROM a\nRUN <<EOF\nx\n# why\ny z\nEOF\n',
  ],
  [
    'FROM a\n  CMD ¦x \\\n # why\n  y\n',
    'Change CMD to the exec form',
    'FROM a\n  # why\n  CMD ["x", "y"]\n',
  ],
  [
    'FROM a\nHEALTHCHECK --interval=5s CMD ¦x "y z"\n',
    'Change HEALTHCHECK to the exec form',
    'FROM a\nHEALTHCHECK --interval=5s CMD ["x", "y z"]\n',
  ],
  [
    'FROM a\nHEALTHCHECK --interval=5s \\\n  cmd ["¦x", "y z"]\n',
    'Change HEALTHCHECK to the shell form',
    "FROM a\nHEALTHCHECK --interval=5s \\\n  cmd x 'y z'\n",
  ],
  ['FROM a\nRUN ¦x "a b" -c\n', 'Change RUN to the exec form', 'FROM a\nRUN ["x", "a b", "-c"]\n'],
  ['FROM a\nCMD ¦exec x \\\n  --y\n', 'Change CMD to the exec form', 'FROM a\nCMD ["x", "--y"]\n'],
  [
    'FROM a\nENTRYPOINT ["x¦", "it\'s", "$V"]\n',
    'Change ENTRYPOINT to the shell form',
    "FROM a\nENTRYPOINT exec x 'it'\\''s' '$V'\n",
  ],
  [
    'FROM a\nRUN ["/bin/sh", "-c", "a | b $V"]¦\n',
    'Change RUN to the shell form',
    'FROM a\nRUN a | b $V\n',
  ],
  [
    'FROM a AS b\nENV x=y\n# why\n¦RUN x\nRUN y¦\nCOPY z /\nFROM c\nCOPY --from=b / /\nCOPY --from=0 / /\n',
    'Extract a stage from the selection',
    'FROM a AS b-base\nENV x=y\n\nFROM b-base AS extracted\n# why\nRUN x\nRUN y\n\nFROM extracted AS b\nCOPY z /\nFROM c\nCOPY --from=b / /\nCOPY --from=2 / /\n',
  ],
  [
    'FROM a\n¦RUN x¦\n\nCMD y\n',
    'Extract a stage from the selection',
    'FROM a AS extracted\nRUN x\n\nFROM extracted\nCMD y\n',
  ],
  [
    'FROM a\nRUN apt-get update && apt-get ¦install -y x=1 && apt-get clean && rm -rf /var/lib/apt/lists/*\n',
    'Add a cache mount for apt',
    'FROM a\nRUN --mount=type=cache,target=/var/cache/apt,sharing=locked --mount=type=cache,target=/var/lib/apt,sharing=locked rm -f /etc/apt/apt.conf.d/docker-clean && apt-get update && apt-get install -y x=1\n',
  ],
  [
    'FROM a\nRUN --network=host <<EOF\nset -e\napt ¦install -y x=1\nrm -rf /var/lib/apt/lists/* /var/cache/apt\nmake\nEOF\n',
    'Add a cache mount for apt',
    'FROM a\nRUN --mount=type=cache,target=/var/cache/apt,sharing=locked --mount=type=cache,target=/var/lib/apt,sharing=locked --network=host <<EOF\nrm -f /etc/apt/apt.conf.d/docker-clean\nset -e\napt -o Binary::apt::APT::Keep-Downloaded-Packages=true install -y x=1\nmake\nEOF\n',
  ],
  [
    'FROM a\nRUN npm cache clean --force; npm ¦ci; npm cache clean --force\n',
    'Add a cache mount for npm',
    'FROM a\nRUN --mount=type=cache,target=/root/.npm npm ci\n',
  ],
  [
    'FROM a\nRUN pip install --no-cache-dir ¦x\n',
    'Add a cache mount for pip',
    'FROM a\nRUN --mount=type=cache,target=/root/.cache/pip pip install x\n',
  ],
  [
    'FROM a\nRUN apk add ¦--no-cache x\n',
    'Add a cache mount for apk',
    'FROM a\nRUN --mount=type=cache,target=/etc/apk/cache,sharing=locked apk add --update-cache x\n',
  ],
  [
    'FROM a\nRUN dnf ¦-y install x && dnf clean all\n',
    'Add a cache mount for dnf',
    'FROM a\nRUN --mount=type=cache,target=/var/cache/dnf,sharing=locked --mount=type=cache,target=/var/cache/libdnf5,sharing=locked dnf --setopt=keepcache=1 -y install x\n',
  ],
  [
    'FROM a\nRUN --mount=type=cache,target=/go/pkg/mod go ¦build ./...\n',
    'Add a cache mount for Go',
    'FROM a\nRUN --mount=type=cache,target=/root/.cache/go-build --mount=type=cache,target=/go/pkg/mod go build ./...\n',
  ],
  [
    'FROM a\nRUN yarn ¦&& cargo build\n',
    'Add a cache mount for Yarn',
    'FROM a\nRUN --mount=type=cache,target=/usr/local/share/.cache/yarn,sharing=locked yarn && cargo build\n',
  ],
  ['FROM ¦known:1 AS x\n', 'Pin known:1 to sha256:abababababab…', `FROM known:1@${DIGEST} AS x\n`],
];

for (const [marked, title, expected] of [...SAME, ...OTHER]) {
  test(`${title}: ${JSON.stringify(marked)}`, () => {
    const asked = at(marked);
    const text = after(asked, title);
    assert.equal(text, expected);
    const errors = ({ problems }: Dockerfile): unknown[] =>
      problems.filter(({ severity }) => severity === 'error');
    assert.deepEqual(errors(parseDockerfile(text)), []);
  });
}

for (const [marked, title] of SAME) {
  test(`${title} leaves every word of ${JSON.stringify(marked)} where it was`, () => {
    const asked = at(marked);
    const kept = words(parseDockerfile(after(asked, title))).filter(
      (word) => word !== '{' && word !== '}',
    );
    assert.deepEqual(kept, words(asked.file));
  });
}

/** Where another form would mean something else: the marked text, and the beginning of what must not be offered. */
const REFUSED: readonly (readonly [string, string])[] = [
  ['FROM a\n¦RUN x &\nRUN y\n', 'Merge'],
  ['FROM a\n¦RUN set -e; x\nRUN y\n', 'Merge'],
  ['FROM a\n¦RUN x # why\nRUN y\n', 'Merge'],
  ['FROM a\n¦RUN --network=none x\nRUN y\n', 'Merge'],
  ['FROM a\n¦RUN ["x"]\nRUN y\n', 'Merge'],
  ['FROM a\n¦RUN x\nUSER u\nRUN y¦\n', 'Merge'],
  ['FROM a\nSHELL ["/bin/sh", "-ec"]\n¦RUN x; if y; then z; fi\nRUN y\n', 'Merge'],
  ['FROM a\nRUN cd /x && ¦make\n', 'Split'],
  ['FROM a\nRUN export A=1 && ¦make\n', 'Split'],
  ['FROM a\nRUN A=1 && ¦make\n', 'Split'],
  ['FROM a\nRUN : ${A:=1} && ¦make\n', 'Split'],
  ['FROM a\nRUN x || y && ¦make\n', 'Split'],
  ['FROM a\nRUN x && y; ¦make\n', 'Split'],
  ['FROM a\nRUN --mount=type=tmpfs,target=/t x && ¦make\n', 'Split'],
  ['FROM a\nRUN ¦x\n', 'Change to a heredoc'],
  ['FROM a\nSHELL ["cmd", "/C"]\nRUN ¦x && y\n', 'Change to a heredoc'],
  ['FROM a\nRUN <<EOF¦\n#!/usr/bin/env python3\nprint(1)\nEOF\n', 'Change to a command'],
  ["FROM a\nRUN <<EOF¦\necho 'a\nb'\nEOF\n", 'Change to a command'],
  ['FROM a\nRUN <<EOF¦\nif a\nthen b\nfi\nEOF\n', 'Change to a command'],
  ['FROM a\nRUN ¦x $V\n', 'Change RUN to'],
  ['FROM a\nRUN ¦x > y\n', 'Change RUN to'],
  ['FROM a\nRUN ¦x *.c\n', 'Change RUN to'],
  ['FROM a\nRUN ¦x ~/y\n', 'Change RUN to'],
  ['FROM a\nRUN ¦A=1 x\n', 'Change RUN to'],
  ['FROM a\nRUN ¦cd x\n', 'Change RUN to'],
  ['FROM a\nRUN ¦x && y\n', 'Change RUN to'],
  ['FROM a\nSHELL ["/bin/bash", "-lc"]\nRUN ¦x\n', 'Change RUN to'],
  ['FROM a\nENTRYPOINT ["y"]\nCMD ¦x\n', 'Change CMD to'],
  ['FROM a\nRUN ["x", "a\\nb"]¦\n', 'Change RUN to'],
  ['FROM a\nSHELL ["cmd", "/C"]\nRUN ["x"¦]\n', 'Change RUN to'],
  ['FROM a\n¦ONBUILD RUN x¦\nRUN y\n', 'Extract'],
  ['FROM a\n¦CMD x¦\nENTRYPOINT ["y"]\n', 'Extract'],
  ['FROM a\n¦RUN x\nRUN y¦\n', 'Extract'],
  ['FROM a\nUSER u\nRUN npm ¦ci\n', 'Add a cache mount'],
  ['FROM a AS b\nUSER u\nFROM b\nRUN npm ¦ci\n', 'Add a cache mount'],
  ['FROM a\nENV PIP_NO_CACHE_DIR=1\nRUN pip ¦install x\n', 'Add a cache mount'],
  ['FROM a\nRUN apt-get ¦install x || rm -rf /var/lib/apt/lists/*\n', 'Add a cache mount'],
  ['FROM a\nRUN --mount=type=cache,target=/root/.npm npm ¦ci\n', 'Add a cache mount'],
  ['FROM a\nRUN npm ¦run build\n', 'Add a cache mount'],
  ['FROM a\nONBUILD RUN npm ¦ci\nUSER u\n', 'Add a cache mount'],
  ['FROM a\nONBUILD USER u\nONBUILD RUN npm ¦ci\n', 'Add a cache mount'],
  ['FROM a\nONBUILD RUN pip ¦install x\nENV PIP_NO_CACHE_DIR=1\n', 'Add a cache mount'],
  ['FROM a AS b\nONBUILD USER u\nFROM b\nRUN npm ¦ci\n', 'Add a cache mount'],
  ['FROM a\nONBUILD RUN ¦a && b\nSHELL ["/bin/bash", "-c"]\n', ''],
  ['FROM a\nONBUILD SHELL ["/bin/bash", "-c"]\nONBUILD RUN ¦a && b\n', ''],
  ['FROM a\nONBUILD RUN ["¦a"]\nSHELL ["cmd"]\n', 'Change RUN to'],
  ['FROM a\nONBUILD CMD ¦x\n', 'Change CMD to'],
  ['FROM a\nONBUILD ENTRYPOINT ["¦x"]\n', 'Change ENTRYPOINT to'],
  ['FROM a\n¦RUN x\nONBUILD RUN y\n', 'Merge'],
  ['FROM a\n¦RUN x\nONBUILD RUN y¦\n', 'Merge'],
  ['FROM a\nONBUILD RUN x¦\nRUN y\nONBUILD RUN z\n', 'Merge'],
  ['FROM a\nONBUILD¦\n', ''],
  ['FROM ¦scratch\n', 'Pin'],
  ['FROM ¦unknown\n', 'Pin'],
  [`FROM ¦known@${DIGEST}\n`, 'Pin'],
  ['FROM a AS known\nFROM ¦known\n', 'Pin'],
];

for (const [marked, title] of REFUSED) {
  test(`${title}… is not offered: ${JSON.stringify(marked)}`, () => {
    assert.deepEqual(
      titles(marked).filter((each) => each.startsWith(title)),
      [],
    );
  });
}

test('every trigger that a refactoring writes is an instruction of the image that is built on it', () => {
  for (const [marked, title] of [...SAME, ...OTHER].filter(([text]) => /ONBUILD/i.test(text))) {
    const { instructions } = parseDockerfile(after(at(marked), title));
    const triggers = instructions.flatMap((each) =>
      each.kind === 'ONBUILD' ? [each.trigger] : [],
    );
    const child = parseDockerfile(['FROM a', ...triggers, ''].join('\n'));
    assert.deepEqual(child.problems, [], marked);
    assert.equal(child.instructions.length, triggers.length + 1, marked);
  }
});

test('nothing is offered for an instruction with an error, or between instructions', () => {
  assert.deepEqual(titles('FROM a\nRUN --what ¦x && y\n'), []);
  assert.deepEqual(titles('FROM a\n\n¦\nRUN x && y\n'), []);
});

test('a heredoc and its command line lead back to each other', () => {
  const text = 'FROM a\nRUN ¦a "b c" \\\n    && d | e \\\n    && f\n';
  const heredoc = after(at(text), 'Change to a heredoc');
  const back = after(at(heredoc.replace('RUN ', 'RUN ¦')), 'Change to a command line');
  assert.equal(back, text.replace('¦', ''));
});

test('the linter asks for no clean-up where a cache mount was added', () => {
  const asked = at(
    'FROM a:1\nRUN apt-get update && apt-get ¦install -y --no-install-recommends x=1 && rm -rf /var/lib/apt/lists/*\n',
  );
  const text = after(asked, 'Add a cache mount for apt');
  assert.deepEqual(lintDockerfile(parseDockerfile(text)).problems, []);
});

test('every place of a hostile file is answered, and every offer is a file without new errors', () => {
  const text =
    'FROM a AS b\nONBUILD RUN x && \\\n y\nONBUILD RUN <<E\nx\nE\nONBUILD RUN ["x"]\nRUN x && \\\n\n# c\n y "a \\\n b" | z\nRUN <<E && q\n a <<F\n$(\nE\nRUN <<-F\n\tx; y\n\t# z\n\tF\n\nF\nRUN ["a", "\\u0000"]\nRUN if x; then\nCMD a b \\\n';
  const file = parseDockerfile(text);
  const before = file.problems.filter(({ severity }) => severity === 'error').length;
  const scripts = scriptsOf(file);
  for (let start = 0; start <= text.length; start++) {
    for (const end of [start, Math.min(text.length, start + 20)]) {
      const found = refactoringsAt({
        file,
        selection: { start, end },
        scripts,
        digestOf: () => DIGEST,
      });
      for (const { edits, title } of found) {
        const { problems } = parseDockerfile(applyEdits(text, edits));
        assert.ok(problems.filter(({ severity }) => severity === 'error').length <= before, title);
      }
    }
  }
});
