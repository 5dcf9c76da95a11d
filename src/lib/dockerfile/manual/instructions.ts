/** The manual of the instructions: what each does, how it is written, what to insert for it. Data only. */
import type { InstructionKind } from '../syntax.ts';
import {
  type Entry,
  example,
  type Form,
  type Parameter,
  reference,
  type Snippet,
} from './entry.ts';

export interface InstructionEntry extends Entry {
  readonly forms: readonly Form[];
  readonly snippets: readonly Snippet[];
}

const COMMAND: Parameter = {
  label: 'command',
  summary: 'shell form: a line for the shell in force, with variables, pipes and redirections',
};
const EXEC: Parameter = {
  label: '["program", "argument", …]',
  summary:
    'exec form: a JSON array in double quotes; no shell reads it, so nothing in it is expanded',
};
const OWNER_FLAGS: Parameter = {
  label: '[--chown=user:group] [--chmod=mode] [--link] [--exclude=pattern …]',
  summary: 'owner, mode, independence of the layers below, and what is left out',
};
const SOURCES: Parameter = { label: 'source …', summary: 'paths or patterns beneath the context' };
const DESTINATION: Parameter = {
  label: 'destination',
  summary: 'a path in the image, relative to WORKDIR; a slash at its end makes it a directory',
};
const HEREDOC_SUMMARY = 'text that follows on the lines below, up to a line with the name alone';

export const INSTRUCTIONS: Readonly<Record<InstructionKind, InstructionEntry>> = {
  ADD: {
    summary: 'adds files, remote files, git repositories and unpacked archives',
    text: `Local tar archives are unpacked, remote files are downloaded. For plain local files COPY is clearer.\n\n${example('ADD --checksum=sha256:24454f83… https://example.com/tool.tar.gz /opt/')}`,
    link: reference('add'),
    forms: [
      [
        OWNER_FLAGS,
        { label: '[--checksum=digest] [--keep-git-dir] [--unpack]', summary: 'for remote sources' },
        { label: 'source …', summary: 'paths, patterns, URLs or git addresses' },
        DESTINATION,
      ],
      [{ label: '<<NAME', summary: HEREDOC_SUMMARY }, DESTINATION],
    ],
    snippets: [
      { label: 'ADD', body: 'ADD ${1:source} ${2:destination}', summary: 'source and destination' },
    ],
  },
  ARG: {
    summary: 'declares a build-time variable',
    text: `Set with \`--build-arg name=value\`. Before the first FROM it serves FROM lines only; a stage that wants it declares it again. It is not in the environment of the finished image.\n\n${example('ARG VERSION=22', 'FROM node:${VERSION}')}`,
    link: reference('arg'),
    forms: [
      [{ label: 'name[=default] …', summary: 'one or more names, each with or without a default' }],
    ],
    snippets: [
      { label: 'ARG', body: 'ARG ${1:name}=${2:default}', summary: 'a name with a default' },
    ],
  },
  CMD: {
    summary: 'sets the default command, or the default arguments of ENTRYPOINT',
    text: `Only the last CMD of a stage counts. Arguments of \`docker run\` take its place.\n\n${example('CMD ["node", "server.js"]')}`,
    link: reference('cmd'),
    forms: [[EXEC], [COMMAND]],
    snippets: [{ label: 'CMD', body: 'CMD ["${1:program}"$0]', summary: 'exec form' }],
  },
  COPY: {
    summary: 'copies files from the context, a stage or an image',
    text: `A file that .dockerignore names is not in the context. Directories are copied by their contents.\n\n${example('COPY --from=build --chown=app:app /src/dist ./dist/')}`,
    link: reference('copy'),
    forms: [
      [
        { label: '[--from=stage|image|context]', summary: 'where the sources are' },
        OWNER_FLAGS,
        { label: '[--parents]', summary: "keeps the sources' directories" },
        SOURCES,
        DESTINATION,
      ],
      [{ label: '<<NAME', summary: HEREDOC_SUMMARY }, DESTINATION],
    ],
    snippets: [
      {
        label: 'COPY',
        body: 'COPY ${1:source} ${2:destination}',
        summary: 'source and destination',
      },
      {
        label: 'COPY --from',
        body: 'COPY --from=${1:stage} ${2:source} ${3:destination}',
        summary: 'out of another stage',
      },
    ],
  },
  ENTRYPOINT: {
    summary: 'sets the program that the container is',
    text: `Arguments of \`docker run\`, or CMD where there are none, are appended to the exec form; the shell form takes none and does not get signals.\n\n${example('ENTRYPOINT ["/usr/bin/tini", "--"]')}`,
    link: reference('entrypoint'),
    forms: [[EXEC], [COMMAND]],
    snippets: [
      { label: 'ENTRYPOINT', body: 'ENTRYPOINT ["${1:program}"$0]', summary: 'exec form' },
    ],
  },
  ENV: {
    summary: 'sets environment variables, for the rest of the stage and in the image',
    text: `A value that holds blanks is quoted. A variable set in the same instruction has its old value still.\n\n${example('ENV NODE_ENV=production PORT=3000')}`,
    link: reference('env'),
    forms: [[{ label: 'name=value …', summary: 'one or more pairs' }]],
    snippets: [{ label: 'ENV', body: 'ENV ${1:name}=${2:value}', summary: 'a name and its value' }],
  },
  EXPOSE: {
    summary: 'says on which ports the container listens',
    text: `It publishes nothing by itself; \`docker run -P\` publishes what is exposed.\n\n${example('EXPOSE 80/tcp 53/udp')}`,
    link: reference('expose'),
    forms: [
      [
        {
          label: 'port[/protocol] …',
          summary: 'a port or a range, tcp unless it says udp or sctp',
        },
      ],
    ],
    snippets: [{ label: 'EXPOSE', body: 'EXPOSE ${1:port}', summary: 'a port' }],
  },
  FROM: {
    summary: 'begins a stage from a base image',
    text: `\`scratch\` is the empty image. The last stage is what is built unless \`--target\` names another one.\n\n${example('FROM --platform=$BUILDPLATFORM golang:1.24 AS build')}`,
    link: reference('from'),
    forms: [
      [
        { label: '[--platform=platform]', summary: 'the platform of a base image with several' },
        { label: 'image[:tag][@digest]', summary: 'an image, or the name of a stage above' },
        {
          label: '[AS name]',
          summary: 'the name by which COPY --from and other stages know this one',
        },
      ],
    ],
    snippets: [
      { label: 'FROM', body: 'FROM ${1:image}', summary: 'an image' },
      {
        label: 'FROM … AS',
        body: 'FROM ${1:image} AS ${2:name}',
        summary: 'an image with a stage name',
      },
    ],
  },
  HEALTHCHECK: {
    summary: 'tells how to find out whether the container still works',
    text: `Status 0 is healthy, 1 unhealthy. NONE switches the check of the base image off.\n\n${example('HEALTHCHECK --interval=30s --timeout=3s CMD curl -f http://localhost/ || exit 1')}`,
    link: reference('healthcheck'),
    forms: [
      [
        {
          label: '[--interval=30s] [--timeout=30s]',
          summary: 'time between checks, and for one check',
        },
        {
          label: '[--start-period=0s] [--start-interval=5s]',
          summary: 'time in which failures do not count, and between checks in it',
        },
        { label: '[--retries=3]', summary: 'failures in a row that make it unhealthy' },
        { label: 'CMD command', summary: 'shell form or exec form' },
      ],
      [{ label: 'NONE', summary: 'no check' }],
    ],
    snippets: [
      {
        label: 'HEALTHCHECK',
        body: 'HEALTHCHECK --interval=${1:30s} --timeout=${2:3s} CMD ${3:command}',
        summary: 'a check with interval and timeout',
      },
      {
        label: 'HEALTHCHECK NONE',
        body: 'HEALTHCHECK NONE',
        summary: "switches the base image's check off",
      },
    ],
  },
  LABEL: {
    summary: 'adds metadata to the image',
    text: example('LABEL org.opencontainers.image.source="https://example.com/repo"'),
    link: reference('label'),
    forms: [[{ label: 'name=value …', summary: 'one or more pairs' }]],
    snippets: [
      { label: 'LABEL', body: 'LABEL ${1:name}="${2:value}"', summary: 'a name and its value' },
    ],
  },
  MAINTAINER: {
    summary: 'names the author (deprecated)',
    text: `Use a label in its place:\n\n${example('LABEL org.opencontainers.image.authors="somebody@example.com"')}`,
    link: reference('maintainer-deprecated'),
    forms: [[{ label: 'name', summary: 'any text' }]],
    snippets: [],
  },
  ONBUILD: {
    summary: 'keeps an instruction for the builds that use this image as their base',
    text: `It runs there directly after FROM. It cannot hold ONBUILD, FROM or MAINTAINER.\n\n${example('ONBUILD COPY . /app')}`,
    link: reference('onbuild'),
    forms: [
      [{ label: 'instruction', summary: 'any instruction but ONBUILD, FROM and MAINTAINER' }],
    ],
    snippets: [
      { label: 'ONBUILD', body: 'ONBUILD ${1:COPY . /app}', summary: 'a deferred instruction' },
    ],
  },
  RUN: {
    summary: 'runs a command in a new layer',
    text: `The shell form goes to \`/bin/sh -c\` unless SHELL says otherwise. A heredoc holds a script of several lines.\n\n${example('RUN --mount=type=cache,target=/root/.npm npm ci')}`,
    link: reference('run'),
    forms: [
      [
        {
          label: '[--mount=type=…,target=… …]',
          summary: 'files, caches, secrets and agents for this one command',
        },
        { label: '[--network=default|none|host]', summary: 'the network of this one command' },
        {
          label: '[--security=sandbox|insecure] [--device=name]',
          summary: 'privileges and devices',
        },
        COMMAND,
      ],
      [EXEC],
      [{ label: '<<NAME', summary: HEREDOC_SUMMARY }],
    ],
    snippets: [
      { label: 'RUN', body: 'RUN ${1:command}', summary: 'a command' },
      {
        label: 'RUN <<EOF',
        body: 'RUN <<EOF\n${1:set -e}\n$0\nEOF',
        summary: 'a script of several lines',
      },
      {
        label: 'RUN --mount=type=cache',
        body: 'RUN --mount=type=cache,target=${1:/root/.cache} ${2:command}',
        summary: 'a command with a cache that survives builds',
      },
      {
        label: 'RUN --mount=type=secret',
        body: 'RUN --mount=type=secret,id=${1:token},env=${2:TOKEN} ${3:command}',
        summary: 'a command with a secret that is in no layer',
      },
    ],
  },
  SHELL: {
    summary: 'sets the shell of commands in shell form',
    text: example('SHELL ["/bin/bash", "-o", "pipefail", "-c"]'),
    link: reference('shell'),
    forms: [
      [{ label: '["program", "argument", …]', summary: 'a JSON array; the command is appended' }],
    ],
    snippets: [
      {
        label: 'SHELL bash',
        body: 'SHELL ["/bin/bash", "-o", "pipefail", "-c"]',
        summary: 'bash that fails when any command of a pipeline does',
      },
      {
        label: 'SHELL powershell',
        body: 'SHELL ["powershell", "-NoProfile", "-Command"]',
        summary: 'PowerShell on Windows images',
      },
    ],
  },
  STOPSIGNAL: {
    summary: 'sets the signal that asks the container to end',
    text: 'A name (`SIGTERM`, `TERM`) or a number. Without it SIGTERM is sent.',
    link: reference('stopsignal'),
    forms: [[{ label: 'signal', summary: 'a name or a number' }]],
    snippets: [{ label: 'STOPSIGNAL', body: 'STOPSIGNAL ${1:SIGTERM}', summary: 'a signal' }],
  },
  USER: {
    summary: 'sets the user and the group of what runs afterwards, and of the container',
    text: `Names are looked up in the image. With a number and no group the group is root.\n\n${example('USER app:app')}`,
    link: reference('user'),
    forms: [[{ label: 'user[:group]', summary: 'names or numbers' }]],
    snippets: [{ label: 'USER', body: 'USER ${1:user}', summary: 'a user' }],
  },
  VOLUME: {
    summary: 'makes mount points whose data lies outside the layers',
    text: `What later instructions write there may be lost.\n\n${example('VOLUME ["/data"]')}`,
    link: reference('volume'),
    forms: [
      [{ label: 'path …', summary: 'one or more paths' }],
      [{ label: '["path", …]', summary: 'a JSON array of paths' }],
    ],
    snippets: [{ label: 'VOLUME', body: 'VOLUME ["${1:/data}"]', summary: 'a mount point' }],
  },
  WORKDIR: {
    summary: 'sets the working directory, and makes it where it is missing',
    text: 'A relative path counts from the WORKDIR before it.',
    link: reference('workdir'),
    forms: [[{ label: 'path', summary: 'best absolute' }]],
    snippets: [{ label: 'WORKDIR', body: 'WORKDIR ${1:/app}', summary: 'a directory' }],
  },
};

/** Snippets for whole files, offered where a file has no stage yet. */
export const FILE_SNIPPETS: readonly Snippet[] = [
  {
    label: 'multi-stage build',
    body: 'FROM ${1:image} AS build\nWORKDIR /src\nCOPY . .\nRUN ${2:make}\n\nFROM ${3:runtime}\nCOPY --from=build ${4:/src/out} ${5:/app/}\nCMD ["${6:/app/program}"]\n',
    summary: 'one stage builds, another one holds the result',
  },
];
