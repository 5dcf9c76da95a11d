/** Tests of fixes beyond the pages: what text they make, where none is offered, and what holds for all of them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseDockerfile } from '../parse.ts';
import { applyEdits } from './edits.ts';
import { DEFAULT_OPTIONS, lintDockerfile } from './lint.ts';
import type { LintOptions, LintProblem } from './rule.ts';

const OPTIONS: LintOptions = {
  ...DEFAULT_OPTIONS,
  severities: new Map([['IgnorePragma', 'information']]),
  labelSchema: new Map([
    ['url', 'url'],
    ['time', 'rfc3339'],
    ['version', 'semver'],
    ['license', 'spdx'],
    ['text', 'text'],
  ]),
};

function problemsOf(text: string): readonly LintProblem[] {
  return lintDockerfile(parseDockerfile(text), OPTIONS).problems;
}

/** A line of a stage, what the fix makes of it; undefined: there is a finding and no fix. */
type Case = readonly [rule: string, before: string, after: string | undefined];

const CASES: readonly Case[] = [
  ['WorkdirRelativePath', 'WORKDIR app', 'WORKDIR /app'],
  ['WorkdirRelativePath', 'WORKDIR "./a b"', 'WORKDIR "/a b"'],
  ['WorkdirRelativePath', 'WORKDIR .', 'WORKDIR /'],
  ['WorkdirRelativePath', 'WORKDIR ../a', undefined],
  ['CopyRelativeDestination', 'COPY a ./b/', 'COPY a /b/'],
  ['CopyRelativeDestination', 'COPY ["a", "b"]', 'COPY ["a", "/b"]'],
  ['CopyRelativeDestination', 'COPY a .', 'COPY a /'],
  ['CopyRelativeDestination', 'COPY a ..', undefined],
  ['NoZypperDistUpgrade', 'RUN zypper -n dup', 'RUN zypper -n update'],
  ['QuoteEval', 'RUN eval list=(a "b") && c', `RUN eval 'list=(a "b")' && c`],
  ['InvalidPort', 'EXPOSE 9-8/tcp', 'EXPOSE 8-9/tcp'],
  ['InvalidPort', 'EXPOSE 70000', undefined],
  ['UseWorkdir', 'RUN cd /srv/app && make && b', 'WORKDIR /srv/app\nRUN make && b'],
  ['QuoteVariable', 'RUN make $MAKEFLAGS', undefined],
  ['QuoteSubstitution', 'RUN a $(test b && echo --c)', undefined],
  ['QuoteSubstitution', 'RUN a $(b)', 'RUN a "$(b)"'],
  ['ConsecutiveRun', 'SHELL ["powershell", "-Command"]\nRUN a\nRUN b', undefined],
  ['UseWorkdir', 'RUN cd $a && make', undefined],
  ['UseWorkdir', 'RUN a && cd /b && c', undefined],
  ['UseWorkdir', 'ONBUILD RUN cd /b && c', undefined],
  ['AndOrChain', 'RUN a && b || c', 'RUN if a; then b; else c; fi'],
  ['AndOrChain', 'RUN a -x \\\n  && b | d \\\n  || c', 'RUN if a -x; then b | d; else c; fi'],
  ['AndOrChain', 'RUN a && b && c || d', undefined],
  ['NestedSingleQuotes', "RUN echo 'a 'b' c'", "RUN echo 'a '\\''b'\\'' c'"],
  ['NestedSingleQuotes', "RUN echo 'a'b", undefined],
  ['BrokenDoubleQuotes', 'RUN echo "a "b" c"', 'RUN echo "a \\"b\\" c"'],
  ['UnassignedVariable', 'RUN food=1; echo "${foo}"', 'RUN food=1; echo "${food}"'],
  ['UnassignedVariable', 'ARG target\nRUN echo "$tagret"', 'ARG target\nRUN echo "$target"'],
  ['UnassignedVariable', 'RUN a=1; echo "$b"', undefined],
  ['LabelUrl', 'LABEL url="example.org/a?b"', 'LABEL url="https://example.org/a?b"'],
  ['LabelUrl', "LABEL url='no address'", undefined],
  ['LabelTime', 'LABEL time=2024-05-01', 'LABEL time=2024-05-01T00:00:00Z'],
  ['LabelTime', 'LABEL time="2024-05-01 10:11:12"', 'LABEL time="2024-05-01T10:11:12Z"'],
  ['LabelTime', 'LABEL time="1 May 2024"', 'LABEL time="2024-05-01T00:00:00Z"'],
  ['LabelTime', 'LABEL time="31 Feb 2024"', undefined],
  ['LabelSemver', 'LABEL version=v1.2', 'LABEL version=1.2.0'],
  ['LabelSemver', 'LABEL version="1-rc.1"', 'LABEL version="1.0.0-rc.1"'],
  ['LabelSemver', 'LABEL version=latest', undefined],
  ['LabelLicense', 'LABEL license="Apache License 2.0"', 'LABEL license="Apache-2.0"'],
  ['LabelLicense', 'LABEL license=GPLv3', 'LABEL license=GPL-3.0-only'],
  ['LabelLicense', 'LABEL license=mine', undefined],
  ['LabelEmpty', 'LABEL text="" a=b', 'LABEL a=b'],
  ['LabelEmpty', 'LABEL text=\nUSER 5', 'USER 5'],
  ['OnbuildDisallowed', 'ONBUILD onbuild RUN a', 'ONBUILD RUN a'],
  ['OnbuildDisallowed', 'ONBUILD FROM b:1', undefined],
  ['IgnorePragma', '# hadolint ignore=DL3006\nUSER 5', 'USER 5'],
  ['MissingSeparator', 'RUN if a then b; fi', 'RUN if a; then b; fi'],
  ['MissingSeparator', 'RUN echo done', "RUN echo 'done'"],
  ['MissingSpace', 'RUN [ a = b]', 'RUN [ a = b ]'],
  ['MissingSpace', 'RUN [ a =b ]', 'RUN [ a = b ]'],
  ['MissingSpace', 'RUN ![ a ]', 'RUN ! [ a ]'],
  ['MissingSpace', 'RUN !a', 'RUN ! a'],
  ['DollarAssignment', 'RUN ${a}=b', 'RUN a=b'],
  ['QuoteVariable', 'RUN a $*', 'RUN a "$@"'],
  ['ArrayBraces', 'RUN a "$b[0]"', 'RUN a "${b[0]}"'],
  ['ArrayBraces', 'RUN a $b[x-z]', 'RUN a ${b}[x-z]'],
  ['GlobLikeOption', 'RUN rm *.o', 'RUN rm ./*.o'],
  ['GlobLikeOption', 'RUN dpkg -i *.deb', 'RUN dpkg -i ./*.deb'],
  ['GlobLikeOption', 'RUN apt-get remove *-dev', undefined],
  ['UselessBackslash', 'RUN sed s/a\\/b/c/ d', 'RUN sed s/a/b/c/ d'],
  ['LiteralBrace', 'RUN a x{', "RUN a 'x{'"],
];

for (const [rule, before, after] of CASES) {
  const what = after === undefined ? 'has no fix in' : 'has a fix in';
  test(`${rule} ${what} ${JSON.stringify(before)}`, () => {
    const text = `FROM debian:12\n${before}\n`;
    const found = problemsOf(text).find(({ code }) => code === rule);
    assert.ok(found !== undefined, 'not found');
    if (after === undefined) assert.equal(found.fix, undefined);
    else assert.equal(applyEdits(text, found.fix?.edits ?? []), `FROM debian:12\n${after}\n`);
  });
}

const SCRIPTS = readFileSync(new URL('testdata/shellcheck.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as readonly [shell: string, script: string]);

const isError = ({ severity }: LintProblem): boolean => severity === 'error';

test('a fix in a script takes its finding away and brings no error in', () => {
  const faults: string[] = [];
  let fixes = 0;
  for (const [shell, script] of SCRIPTS) {
    const head = shell === 'bash' ? 'SHELL ["/bin/bash", "-c"]\n' : '';
    const text = `FROM debian:12\n${head}RUN <<'END'\n${script}\nEND\n`;
    const problems = problemsOf(text);
    const errors = problems.filter(isError).length;
    for (const { code, fix } of problems) {
      if (fix === undefined) continue;
      fixes++;
      const fixed = problemsOf(applyEdits(text, fix.edits));
      const count = (list: readonly LintProblem[]) =>
        list.filter((each) => each.code === code).length;
      const isGone = count(fixed) < count(problems);
      const isWorse = fixed.filter(isError).length > errors;
      if (!isGone || isWorse)
        faults.push(`${code}: ${isGone ? 'worse' : 'still there'}: ${script}`);
    }
  }
  assert.deepEqual(faults, []);
  assert.ok(fixes > 800, String(fixes));
});
