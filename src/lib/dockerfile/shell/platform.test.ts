/** Tests of which stages count as built on Windows: what the base's name, SHELL, paths and commands say, with the backtick and without. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lintDockerfile } from '../lint/lint.ts';
import { parseDockerfile } from '../parse.ts';
import { platformOfName } from './platform.ts';
import { scriptsOf } from './scripts.ts';

const BACKTICK = '# escape=`\n';

/** The dialects of a file's shell texts. */
const dialects = (text: string): string =>
  scriptsOf(parseDockerfile(text))
    .map(({ shell }) => shell.dialect)
    .join(' ');

const WINDOWS_NAMES = [
  'mcr.microsoft.com/windows:20H2',
  'mcr.microsoft.com/windows/servercore:ltsc2022',
  'mcr.microsoft.com/windows/nanoserver@sha256:00',
  'mcr.microsoft.com/dotnet/framework/aspnet:4.8',
  'mcr.microsoft.com/dotnet/sdk:8.0-nanoserver-ltsc2022',
  'mcr.microsoft.com/dotnet/aspnet:8.0-windowsservercore-ltsc2019',
  'mcr.microsoft.com/powershell:lts-nanoserver-1809',
  'microsoft/windowsservercore-insider:10.0.16257.1000',
  'microsoft/dotnet-framework:4.7.2',
  'microsoft/iis',
  'golang:1.22-windowsservercore',
  'winamd64/python:3.12',
  'corp.example:5000/base/servercore:1',
  'stefanscherer/node-windows:12',
  'own:ltsc2025',
];

const LINUX_NAMES = [
  'debian:12',
  'scratch',
  'alpine',
  'docker.io/library/ubuntu:24.04',
  'mirror.example:5000/library/node:22',
  'golang:1.22-alpine',
  'python:3.12-slim-bookworm',
  'mcr.microsoft.com/dotnet/sdk:8.0-jammy',
  'mcr.microsoft.com/devcontainers/base:ubuntu',
  'registry.access.redhat.com/ubi9/ubi:9.4',
  'dockcross/windows-static-x64:latest',
  'own/windows-cross:1-bookworm',
];

const UNTOLD_NAMES = ['golang:1.22', 'python', 'mcr.microsoft.com/dotnet/sdk:8.0', 'own:1', ''];

test("an image's name tells its platform, or does not", () => {
  for (const name of WINDOWS_NAMES) assert.equal(platformOfName(name), true, name);
  for (const name of LINUX_NAMES) assert.equal(platformOfName(name), false, name);
  for (const name of UNTOLD_NAMES) assert.equal(platformOfName(name), undefined, name);
});

/** A file, and the dialects of its shell texts with the backtick as escape character and without. */
const FILES: readonly (readonly [string, string, string])[] = [
  ...WINDOWS_NAMES.map((name) => [`FROM ${name}\nRUN x\n`, 'cmd', 'cmd'] as const),
  ...LINUX_NAMES.map((name) => [`FROM ${name}\nRUN x\n`, 'sh', 'sh'] as const),
  ...['golang:1.22', 'own:1', '${BASE}'].map(
    (name) => [`FROM ${name}\nRUN x\n`, 'cmd', 'sh'] as const,
  ),
  ['FROM --platform=windows/amd64 golang:1.22\nRUN x\n', 'cmd', 'cmd'],
  ['FROM --platform=linux/amd64 own/windows:1\nRUN x\n', 'sh', 'sh'],
  ['ARG BASE=mcr.microsoft.com/windows/nanoserver\nFROM ${BASE}:1809\nRUN x\n', 'cmd', 'cmd'],
  ['ARG TAG="4.8-windowsservercore-ltsc2019"\nFROM own:$TAG\nRUN x\n', 'cmd', 'cmd'],
  ['FROM ${BASE:-debian:12}\nRUN x\n', 'sh', 'sh'],
  // SHELL says for all of its stage what the stage is.
  [
    'FROM own:1\nRUN x\nSHELL ["powershell", "-Command"]\nRUN y\n',
    'cmd powershell',
    'cmd powershell',
  ],
  ['FROM own:1\nRUN x\nSHELL ["pwsh", "-c"]\nRUN y\n', 'cmd powershell', 'sh powershell'],
  ['FROM own:1\nRUN x\nSHELL ["/bin/bash", "-c"]\nRUN y\n', 'sh bash', 'sh bash'],
  // Paths and users.
  ['FROM own:1\nWORKDIR C:/app\nRUN x\n', 'cmd', 'cmd'],
  ['FROM own:1\nCOPY ["a", "C:/c/"]\nRUN x\n', 'cmd', 'cmd'],
  ['FROM own:1\nCOPY a C:/b/\nRUN x\n', 'cmd', 'cmd'],
  ['FROM own:1\nRUN x\nUSER ContainerUser\n', 'cmd', 'cmd'],
  ['FROM own:1\nWORKDIR /usr/src/app\nRUN x\n', 'sh', 'sh'],
  ['FROM own:1\nWORKDIR /app\nRUN x\n', 'cmd', 'sh'],
  ['FROM own:1\nCOPY a /usr/local/bin/\nRUN x\n', 'sh', 'sh'],
  // Commands, where the backtick makes it a question.
  ['FROM own:1\nRUN apt-get update\nRUN x\n', 'sh sh', 'sh sh'],
  ['FROM ${BASE}\nRUN curl x > /tmp/y\n', 'sh', 'sh'],
  ['FROM ${BASE}\nRUN curl https://a/usr/bin/x\n', 'cmd', 'sh'],
  ['FROM own:1\nRUN powershell -File x.ps1\nRUN rm -rf /tmp/x\n', 'cmd cmd', 'sh sh'],
  ['FROM own:1\nRUN echo %PATH%\nENTRYPOINT x\n', 'cmd cmd', 'sh sh'],
  ['FROM own:1\nENTRYPOINT ["/usr/bin/x"]\nRUN y\n', 'sh', 'sh'],
  // Each stage by itself, or as the one below it.
  ['FROM own:1 AS w\nWORKDIR C:/a\nFROM debian\nRUN x\nFROM w\nRUN y\n', 'sh cmd', 'sh cmd'],
];

for (const [text, backtick, backslash] of FILES) {
  test(`the shells of ${JSON.stringify(text)}`, () => {
    assert.equal(dialects(BACKTICK + text), backtick);
    assert.equal(dialects(text), backslash);
    // The linter follows the shells by itself, and must agree.
    const isRead = (source: string): boolean =>
      lintDockerfile(parseDockerfile(`${source}RUN echo "unclosed\n`)).problems.some(
        ({ code }) => code === 'UnclosedQuote' || code === 'ShellSyntax',
      );
    const isShell = (found: string): boolean => /(?:^| )(?:sh|bash)$/.test(found);
    assert.equal(isRead(BACKTICK + text), isShell(backtick));
    assert.equal(isRead(text), isShell(backslash));
  });
}

/** As they are written for Windows; none of the rules on shells may say anything. */
const REAL = [
  `# escape=\`
ARG REPO=mcr.microsoft.com/dotnet/framework/runtime
FROM $REPO:4.8-windowsservercore-ltsc2019
COPY setup C:\\setup
RUN mkdir "%ProgramFiles%\\NuGet\\latest"
RUN powershell.exe -command "Move-Item c:\\setup\\nuget.exe $env:programfiles\\NuGet\\nuget.exe"
RUN start /w c:\\setup\\7z2107-x64.exe /S
RUN c:\\setup\\vs_BuildTools.exe ^\`
    --add Microsoft.Component.MSBuild ^\`
    --quiet --norestart --wait \`
    && powershell -Command "if ($err = dir c:\\e) { exit 1 }"
`,
  `# escape=\`
FROM \${CONTAINER_IMAGE}
WORKDIR C:\\solution
SHELL ["powershell", "-Command", "$ErrorActionPreference = 'Stop';"]
COPY bootstrap.ps1 .
RUN ./bootstrap.ps1; \`
    Remove-Item -Force -Recurse \${env:TEMP}\\*
CMD ci
`,
  `# escape=\`
FROM mcr.microsoft.com/dotnet/sdk:8.0 AS build
WORKDIR /src
COPY ["App/App.csproj", "App/"]
RUN dotnet restore "App\\App.csproj" && cd App & dir
`,
  `# escape=\`
FROM wincustombase
RUN mkdir sap
RUN if not exist C:\\x (echo $no & exit /b 1)
`,
];

/** Rules that look at how instructions are laid out, whatever the shell. */
const LAYOUT = /^(?:ConsecutiveRun|JSONArgsRecommended|MultipleRun)/;

test('files for Windows have no findings on their shell', () => {
  for (const text of REAL) {
    const { problems } = lintDockerfile(parseDockerfile(text));
    const found = problems.filter(({ range }) =>
      /^(?:RUN|CMD)|^\s+/.test(lineAt(text, range.start.line)),
    );
    assert.deepEqual(
      found.map(({ code, message }) => `${code}: ${message}`).filter((each) => !LAYOUT.test(each)),
      [],
      text,
    );
  }
});

function lineAt(text: string, line: number): string {
  return text.split('\n')[line] ?? '';
}

test('a hostile name or file is judged in linear time', () => {
  const started = performance.now();
  const names = '${a'.repeat(200_000);
  assert.equal(dialects(`${BACKTICK}FROM ${names}\nRUN x\n`), 'cmd');
  dialects(`${BACKTICK}${'ARG a=b\n'.repeat(20_000)}${'FROM $a\nRUN cmd   %a\n'.repeat(20_000)}`);
  dialects(
    `${BACKTICK}FROM own\nRUN ${'cmd '.repeat(100_000)}${' '.repeat(200_000)}%${'a'.repeat(200_000)}\n`,
  );
  assert.ok(performance.now() - started < 4000);
});
