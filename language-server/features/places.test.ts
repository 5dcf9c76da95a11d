/** Every feature at every place of difficult files: what it answers is about the place that it was asked for, and holds together. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Range } from 'vscode-languageserver/node';
import { lintDockerfile } from '../../src/lib/dockerfile/lint/lint.ts';
import { parseDockerfile } from '../../src/lib/dockerfile/parse.ts';
import type { Dockerfile } from '../../src/lib/dockerfile/syntax.ts';
import { codeActionsAt } from './code-actions.ts';
import { formatOptions, formattingAfterBreak, formattingOf } from './formatting.ts';
import { hoverAt } from './hover/hover.ts';
import { callsFrom, callsTo, prepareCalls } from './navigation/calls.ts';
import { foldingOf } from './navigation/folding.ts';
import { linksOf } from './navigation/links.ts';
import { definitionOf, highlightsOf, referencesOf } from './navigation/occurrences.ts';
import { prepareRename, renameAt } from './navigation/rename.ts';
import { selectionAt } from './navigation/selection.ts';
import { rangeAt } from './positions.ts';
import { signatureAt } from './signature.ts';

const uri = 'file:///places/Dockerfile';

/** \`~\` stands for the character that continues lines. */
const SHAPE = `# region all
ARG V=1 W=\${V:-a}
FROM --platform=$BUILDPLATFORM x:$V AS one 
ARG V TARGETARCH
ENV A=1 B="two $A" ~
  # why
  C='$A'
from one as t_2
RUN --mount=type=cache,~
target=/x/$A,sharing=locked --mount=type=bind,from=one,source=/a,target=/b --network=none ~
  echo "😀 \${A:-\${B}}" $HTTP_PROXY && ~

  if true; then sudo cat /etc/x | sort; fi
RUN <<EOF
#!/bin/sh
for I in $A; do echo $I \${C#x}; done
EOF
COPY <<-"ONE" <<TWO /x/
	$A
	ONE
\${B}
TWO
ONBUILD COPY --from=one --chown=a:b ["a", "b c", "$A"]
ADD --checksum=sha256:00 https://github.com/o/r.git#v1:d /d
HEALTHCHECK --interval=5s CMD curl -f http://x || exit 1
# hadolint ignore=DL3008,DL3004
EXPOSE 80/tcp $A 90~
00
LABEL "a b"="c" org.opencontainers.image.title=名 $A=b
SHELL ["/bin/bash", "-c"]
CMD ["node", "x y"]
VOLUME /a /b
STOPSIGNAL 9
USER $A:$B
MAINTAINER me
# endregion
FOO bar
FROM
RUN "unclosed \${A
COPY --from=
ONBUILD
RUN x ~
`;

const TEXTS: readonly (readonly [string, string])[] = [
  ['plain', SHAPE.replaceAll('~', '\\')],
  ['with Windows line ends', SHAPE.replaceAll('~', '\\').replaceAll('\n', '\r\n')],
  ['with backticks', `# syntax=a/b\n# escape=\`\n${SHAPE.replaceAll('~', '`')}`],
  ['with a byte order mark', `\ufeff# check=skip=all;error=true\n${SHAPE.replaceAll('~', '\\')}`],
];

const OPTIONS = formatOptions({ tabSize: 4, insertSpaces: true }, undefined);

interface Ends {
  readonly start: number;
  readonly end: number;
}

function offsetsOf({ lines, text }: Dockerfile, { start, end }: Range, told: string): Ends {
  const found = {
    start: lines.offset(start.line, start.character),
    end: lines.offset(end.line, end.character),
  };
  assert.ok(found.start <= found.end && found.end <= text.length, told);
  // A range says where it is in one way only.
  assert.deepEqual(rangeAt(lines, found), { start, end }, told);
  const isSplit = ({ start: at }: Ends): boolean => /[\udc00-\udfff]/.test(text[at] ?? '');
  assert.ok(!isSplit(found), told);
  return found;
}

function apart(ranges: readonly Ends[], told: string): void {
  const sorted = ranges.toSorted((a, b) => a.start - b.start || a.end - b.end);
  for (const [index, { start }] of sorted.entries())
    assert.ok(start >= (sorted[index - 1]?.end ?? 0), `${told}: edits overlap`);
}

for (const [what, text] of TEXTS) {
  const file = parseDockerfile(text);
  const { problems } = lintDockerfile(file);
  const near = (offset: number): string =>
    JSON.stringify(
      `${text.slice(Math.max(0, offset - 20), offset)}|${text.slice(offset, offset + 20)}`,
    );
  /** The offsets of a file, without the middles of pairs and line ends. */
  const offsets = Array.from({ length: text.length + 1 }, (_, offset) => offset).filter(
    (offset) =>
      !/[\udc00-\udfff]/.test(text[offset] ?? '') && text.slice(offset - 1, offset + 1) !== '\r\n',
  );
  const around = (range: Range, offset: number, name: string): void => {
    const told = `${name} at ${near(offset)}`;
    const { start, end } = offsetsOf(file, range, told);
    assert.ok(start <= offset && offset <= end, told);
  };

  test(`hovers, names and selections are around the place that is asked for: ${what}`, () => {
    for (const offset of offsets) {
      const hover = hoverAt(file, offset, { images: undefined });
      if (hover?.range !== undefined) around(hover.range, offset, 'hover');
      const place = { file, uri, offset };
      const prepared = prepareRename(file, offset);
      if ('range' in prepared) around(prepared.range, offset, 'rename');
      for (const { originSelectionRange } of definitionOf(place))
        if (originSelectionRange !== undefined) around(originSelectionRange, offset, 'definition');
      const selection = selectionAt(file, offset);
      around(selection.range, offset, 'selection');
      const highlights = highlightsOf(file, offset);
      const references = referencesOf(place, { includeDeclaration: true });
      assert.deepEqual(
        references.map(({ range }) => range),
        highlights.map(({ range }) => range),
      );
      for (const item of prepareCalls(place)) {
        callsTo(file, item);
        callsFrom(file, item);
      }
      const help = signatureAt(file, offset);
      const active = help?.signatures[help.activeSignature ?? 0];
      if (help !== null)
        assert.ok(active?.parameters?.[help.activeParameter ?? 0] !== undefined, near(offset));
    }
  });

  test(`a rename gives a file of the same shape with the name changed everywhere: ${what}`, () => {
    const before = parseDockerfile(text);
    for (const offset of offsets) {
      const renamed = renameAt(file, offset, 'zzz');
      if ('refused' in renamed) continue;
      const edits = renamed.edits.map(({ range, newText }) => ({
        ...offsetsOf(file, range, near(offset)),
        newText,
      }));
      apart(edits, near(offset));
      const after = parseDockerfile(applied(text, edits));
      assert.deepEqual(
        after.instructions.map(({ kind }) => kind),
        before.instructions.map(({ kind }) => kind),
      );
      assert.deepEqual(
        after.problems.map(({ code }) => code),
        before.problems.map(({ code }) => code),
        near(offset),
      );
    }
  });

  test(`code actions and formatting give edits that can be made, and files that are read: ${what}`, () => {
    for (const offset of offsets) {
      const selection = { start: offset, end: Math.min(text.length, offset + (offset % 90)) };
      const request = {
        ...{ uri, version: undefined, file, problems, selection },
        ...{ diagnostics: [], only: undefined },
      };
      for (const { title, edit } of codeActionsAt(request)) {
        const told = `${title} at ${near(offset)}`;
        const edits = (edit?.changes?.[uri] ?? []).map(({ range, newText }) => ({
          ...offsetsOf(file, range, told),
          newText,
        }));
        assert.ok(edits.length > 0, told);
        apart(edits, told);
        if (title.startsWith('Ignore')) {
          const after = parseDockerfile(applied(text, edits));
          assert.equal(after.instructions.length, file.instructions.length, told);
        }
      }
      for (const edits of [
        formattingOf(file, OPTIONS, selection),
        formattingAfterBreak(file, OPTIONS, offset),
      ])
        apart(
          edits.map(({ range }) => offsetsOf(file, range, near(offset))),
          near(offset),
        );
    }
  });

  test(`links and folding ranges lie in the file: ${what}`, () => {
    const links = linksOf(file, () => undefined);
    assert.ok(links.length >= 2);
    apart(
      links.map(({ range }) => offsetsOf(file, range, 'link')),
      'links',
    );
    const last = file.lines.position(text.length).line;
    for (const { startLine, endLine } of foldingOf(file))
      assert.ok(startLine < endLine && endLine <= last);
  });
}

function applied(text: string, edits: readonly (Ends & { readonly newText: string })[]): string {
  return edits
    .toSorted((a, b) => b.start - a.start || b.end - a.end)
    .reduce(
      (done, { start, end, newText }) => done.slice(0, start) + newText + done.slice(end),
      text,
    );
}
