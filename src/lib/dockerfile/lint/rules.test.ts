/** Tests of the rules beyond their pages: what each must catch, and what looks like it and is right. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDockerfile } from '../parse.ts';
import { lintDockerfile } from './lint.ts';

interface Cases {
  readonly catches?: readonly string[];
  readonly passes?: readonly string[];
}

/** A file of one stage around some lines. */
const file = (lines: string, image = 'debian:12'): string => `FROM ${image}\n${lines}\n`;
const run = (...commands: string[]): string[] => commands.map((command) => file(`RUN ${command}`));
const bash = (...commands: string[]): string[] =>
  commands.map((command) => file(`SHELL ["/bin/bash", "-c"]\nRUN ${command}`));

const TABLE: Readonly<Record<string, Cases>> = {
  ConsistentInstructionCasing: {
    catches: ['FROM a:1\nONBUILD run x\nCOPY a /a\n', 'from a:1\nrun x\nCOPY a /a\n'],
    passes: ['from a:1\nrun x\n', 'FROM a:1\nONBUILD RUN x\n'],
  },
  UndefinedArgInFrom: {
    catches: ['FROM $X\n', 'ARG A\nFROM --platform=$B a:1\n'],
    passes: [
      'FROM ${X:-alpine:3}\n',
      'FROM --platform=$BUILDPLATFORM a:1\n',
      'ARG X=a\nFROM $X:1\n',
    ],
  },
  InvalidDefaultArgInFrom: {
    catches: ['ARG T\nFROM a:$T\n', 'ARG A=\nFROM $A\n', 'ARG B\nARG A=x:$B\nFROM $A\n'],
    passes: ['ARG T=1\nFROM a:$T\n', 'ARG T\nFROM a:${T:-1}\n', 'ARG A=x\nARG B=$A:1\nFROM $B\n'],
  },
  FromPlatformFlagConstDisallowed: {
    passes: [
      'FROM --platform=linux/amd64 a:1 AS build-amd64\n',
      'FROM --platform=${P} a:1\n',
      'FROM a:1\n',
    ],
  },
  PinImageTag: {
    catches: ['FROM a AS b\nFROM c\n', 'FROM host:5000/a\n'],
    passes: [
      'FROM scratch\n',
      'FROM a:1 AS b\nFROM b\n',
      'FROM $A\n',
      'FROM a@sha256:' + '0'.repeat(64) + '\n',
      'FROM host:5000/a:1\n',
    ],
  },
  NoLatestTag: { passes: ['FROM a:latest@sha256:' + '0'.repeat(64) + '\n', 'FROM latest:1\n'] },
  InvalidReferenceFormat: {
    catches: ['FROM a b c\n'.replace(' b c', ':'), 'FROM a:1 AS x\nCOPY --from=Bad/Name /a /b\n'],
    passes: ['FROM a:1 AS Build\nCOPY --from=Build /a /b\n', 'FROM scratch\n'],
  },
  UndefinedVar: {
    catches: [
      file('COPY $foo /x'),
      file('ENV PATH=$PAHT:/x'),
      'ARG V=1\nFROM a:1\nWORKDIR /$V\n',
      'FROM scratch\nCOPY $FOO /x\n',
      'FROM a:1 AS b\nARG x=1\nFROM b\nUSER $x\n',
      file('RUN --mount=target=/x/$foo true'),
    ],
    passes: [
      file('ARG foo\nCOPY $foo /x'),
      file('COPY $PYTHON_VERSION /x'),
      file('WORKDIR $GOPATH/src'),
      file('COPY \\$foo /x'),
      file('RUN echo $foo'),
      file('COPY ${foo:-a} /x'),
      'FROM a:1 AS b\nENV x=1\nFROM b\nUSER $x\n',
      file('ENV a=1\nENV b=$a'),
      file('ARG TARGETARCH\nCOPY $TARGETARCH /x'),
      file("LABEL a='$foo'"),
    ],
  },
  SecretsUsedInArgOrEnv: {
    catches: [
      file('ENV API_TOKEN=x'),
      file('ARG aws_secret_access_key'),
      file('ENV A=1 PASSWORD=x'),
    ],
    passes: [
      file('ENV PUBLIC_KEY=x'),
      file('ENV KEYBOARD=x'),
      file('ENV SECRET_FILE=/run/x'),
      file('ENV GPG_KEYS=1234'),
      file('ENV SSH_AUTH_SOCK=/s'),
      file('ARG AUTH_VERSION=2'),
      file('ARG TOKENIZER=x'),
    ],
  },
  EnvSelfReference: {
    catches: [file('ENV a=1 b="$a"'), file('ENV b=$a a=1')],
    passes: [
      file('ENV a=1 b=2'),
      file('ENV PATH=/x:$PATH b=$PATH'),
      file('ENV a=1\nENV a=2 b=$a'),
      file("ENV a=1 b='$a'"),
    ],
  },
  WorkdirRelativePath: {
    catches: [file('WORKDIR a'), 'FROM a:1 AS b\nWORKDIR x\nFROM b\nWORKDIR y\n'],
    passes: [
      file('WORKDIR /a'),
      'FROM a:1 AS b\nWORKDIR /x\nFROM b\nWORKDIR y\n',
      'FROM scratch\nWORKDIR y\n',
      file('WORKDIR $HOME/x'),
      file('WORKDIR C:\\x'),
    ],
  },
  JSONArgsRecommended: {
    catches: [file('ENTRYPOINT exec top -b'), file('CMD a && b')],
    passes: [file('CMD ["a"]'), file('CMD []'), file('SHELL ["/bin/bash", "-c"]\nCMD a')],
  },
  ExposeInvalidFormat: { passes: [file('EXPOSE 80/tcp $PORT 1-2')] },
  InvalidPort: {
    catches: [file('EXPOSE 9-8'), file('EXPOSE http'), file('EXPOSE 65536')],
    passes: [file('EXPOSE 0 65535 1-2/udp $P ${P}-9')],
  },
  InvalidMount: {
    catches: [file('RUN --mount=target=/ a'), file('RUN --mount=type=cache,dst=/.. a')],
    passes: [
      file('RUN --mount=from=b:1 a'),
      file('RUN --mount=type=bind a'),
      file('RUN --mount=type=tmpfs,target=/x a'),
    ],
  },
  InvalidJSON: {
    catches: [
      file(`CMD ['a', 'b']`),
      file(`CMD ["a", "b"`),
      file(`RUN [ 'a', 'b' ] && c`),
      file(`RUN ["a" "b"]`),
    ],
    passes: [
      file('RUN [ "${A}" = "b" ] && exit 0; wget c'),
      file('RUN [[ "$a" == b ]] || c'),
      file('CMD [ -f a ] && b'),
      file('CMD [ "a" ]'),
    ],
  },
  InvalidSignal: {
    catches: [file('STOPSIGNAL 99'), file('STOPSIGNAL SIGX')],
    passes: [
      file('STOPSIGNAL 9'),
      file('STOPSIGNAL kill'),
      file('STOPSIGNAL SIGRTMIN+3'),
      file('STOPSIGNAL $S'),
    ],
  },
  LastUserRoot: {
    catches: [file('USER 0:0'), 'FROM a:1 AS b\nUSER root\nFROM b\n'],
    passes: [file('RUN x'), 'FROM a:1\nUSER root\nFROM b:1\nUSER 5\n', file('USER rooty')],
  },
  NonNumericUser: {
    passes: [
      'FROM mcr.microsoft.com/windows/nanoserver:1809\nUSER ContainerUser\n',
      file('USER 1000:app'),
      file('USER ${U}'),
      file('USER root'),
    ],
  },
  ConsecutiveRun: {
    catches: [file('RUN a\nRUN b\nRUN c')],
    passes: [
      file('RUN a\nCOPY a /b\nRUN b'),
      file('RUN a && b\nRUN c'),
      file('RUN --mount=type=cache,target=/x a\nRUN b'),
      file('RUN <<EOF\na\nEOF\nRUN b'),
    ],
  },
  UseCopy: {
    catches: [file('ADD a b /x/'), file('ADD --chown=1 a /x')],
    passes: [
      file('ADD a.tar.gz /x'),
      file('ADD https://a/b /x'),
      file('ADD $A /x'),
      file('ADD git@github.com:a/b.git /x'),
      file('ADD a.tar.xz b /x/'),
    ],
  },
  CopyDestinationDirectory: {
    catches: [file('COPY ["a", "b", "/c"]'), file('ADD a b c')],
    passes: [
      file('COPY a b /c/'),
      file('COPY a b .'),
      file('COPY a /c'),
      file('COPY a b $D'),
      file('COPY ["a", "b", "c/"]'),
    ],
  },
  CopyRelativeDestination: {
    passes: [
      file('COPY a /b'),
      file('WORKDIR /x\nCOPY a b'),
      'FROM a:1 AS b\nWORKDIR /x\nFROM b\nCOPY a b\n',
      file('COPY a $D/b'),
      file('COPY a "C:\\x"'),
    ],
  },
  CopyFromUnknownStage: {
    passes: [
      'FROM a:1 AS b\nFROM c:1\nCOPY --from=B /x /y\n',
      file('COPY --from=nginx:1 /x /y'),
      file('COPY --from=0 /x /y'),
      file('COPY --from=host/image /x /y'),
    ],
  },
  CopyWholeFilesystem: {
    passes: ['FROM a:1 AS b\nFROM scratch\nCOPY --from=b / /\n', file('COPY --from=a:1 /usr /usr')],
  },
  UseAddForArchive: {
    catches: [
      file('COPY a.tgz /x/\nRUN cd /x && tar xzf a.tgz'),
      file('COPY a.gz /\nRUN gunzip a.gz'),
    ],
    passes: [
      file('COPY a.tgz /x/\nRUN tar czf a.tgz y'),
      file('COPY --from=b:1 a.tgz /x/\nRUN tar xf a.tgz'),
      file('COPY a.tgz /x/'),
    ],
  },
  SourceOutsideContext: {
    catches: [file('COPY a/../../b /x')],
    passes: [file('COPY a/../b /x'), file('COPY --from=b:1 ../x /x'), file('COPY a..b /x')],
  },
  InvalidLabelKey: {
    catches: [file('LABEL io.docker.x=1'), file('LABEL a..b=1')],
    passes: [
      file('LABEL org.opencontainers.image.title=x a-b=1'),
      file('LABEL $K=1'),
      file('LABEL "a.b"="x"'),
    ],
  },
  PinAptPackages: {
    catches: [
      ...run(
        'apt-get -y --no-install-recommends install a b=1',
        'sudo apt-get install -t stable a',
        '["apt-get", "install", "a"]',
      ),
      file('ONBUILD RUN apt-get install a'),
    ],
    passes: run(
      'apt-get install a=1 b=$V',
      'apt-get install ./a.deb',
      'apt-get install $PACKAGES',
      'apt-get update',
      'echo apt-get install a',
      'apt-get install a/stable',
    ),
  },
  RemoveAptLists: {
    catches: [
      ...run('apt-get update', 'rm -rf /var/lib/apt/lists/* && apt-get update'),
      file('RUN <<EOF\napt-get update\napt-get install -y a=1\nEOF'),
    ],
    passes: [
      ...run(
        'apt-get update && rm -rf /var/lib/apt/lists/*',
        'apt-get update && apt-get dist-clean',
        'apt-get update && find /var/lib/apt/lists/ -mindepth 1 -delete',
        '--mount=type=cache,target=/var/lib/apt apt-get update',
        'apt-get install a',
      ),
      'FROM a:1 AS b\nRUN apt-get update\nFROM scratch\nCOPY --from=b /a /a\n',
    ],
  },
  AptGetYes: {
    catches: run('apt-get install a', 'apt-get -q upgrade', 'apt-get dist-upgrade'),
    passes: run(
      'apt-get -y install a',
      'apt-get install -yq a',
      'apt-get install --assume-yes a',
      'apt-get -qq install a',
      'apt-get -q -q install a',
      'apt-get -q=2 install a',
      'apt-get update',
      'apt-get -o APT::Get::Assume-Yes=true install a',
      'apt-get install -s a',
      'apt-get --dry-run install a',
      'apt-get install $APT_FLAGS a',
    ),
  },
  AptNoRecommends: {
    passes: run(
      'apt-get install --no-install-recommends a',
      'apt-get -o APT::Install-Recommends=false install a',
      'apt-get remove a',
      'apt-get install -s a',
    ),
  },
  UseAptGet: {
    catches: run('apt update', 'apt-get update && apt show a'),
    passes: run('apt-get update', 'echo apt', 'make apt'),
  },
  YumYes: { passes: run('yum -y install a', 'yum install -qy a', 'yum list') },
  YumClean: {
    catches: run('yum clean all && yum install -y a'),
    passes: run(
      'yum install -y a && rm -rf /var/cache/yum/*',
      '--mount=type=cache,target=/var/cache/yum yum install -y a',
    ),
  },
  DnfYes: { catches: run('microdnf install a'), passes: run('dnf install --assumeyes a') },
  PinDnfPackages: {
    passes: run(
      'dnf install a-1.2',
      'dnf install @group',
      "dnf install 'dnf-command(config-manager)'",
      'dnf install ./a.rpm',
      'dnf install https://a/b.rpm',
      'dnf remove a',
    ),
  },
  ZypperYes: {
    passes: run('zypper -n install a', 'zypper --non-interactive in a', 'zypper search a'),
  },
  PinApkPackages: {
    catches: run('apk add --virtual .deps a'),
    passes: run('apk add a=1 b~2 "c>3" ./d.apk', 'apk add --virtual .deps a=1', 'apk del a'),
  },
  ApkNoCache: {
    catches: run('apk add -U a=1'),
    passes: run(
      'apk --no-cache add a=1',
      'apk add --no-cache a=1',
      'apk add ${APK_FLAGS_DEV} a=1',
      '--mount=type=cache,target=/var/cache/apk apk add a=1',
    ),
  },
  PinPipPackages: {
    catches: run(
      'python3 -m pip install a',
      'pip install a==1 b',
      'pip install git+https://x/y',
      'pip install -U pip',
    ),
    passes: run(
      'pip install -r a.txt',
      'pip install a==1',
      "pip install 'a>=1'",
      'pip install .',
      'pip install ./a',
      'pip install git+https://x/y@v1',
      'pip install -e .',
      'pip freeze',
      'pip install "a[x]==1"',
    ),
  },
  PipNoCache: {
    catches: run('python -m pip install a==1'),
    passes: [
      ...run(
        'pip install --no-cache-dir a==1',
        'PIP_NO_CACHE_DIR=1 pip install a==1',
        '--mount=type=cache,target=/root/.cache/pip pip install a==1',
        'pip download a',
      ),
      file('ENV PIP_NO_CACHE_DIR=on\nRUN pip install a==1'),
    ],
  },
  PinNpmPackages: {
    catches: run('npm i a', 'npm install --global @x/a', 'npm install git+https://x/y'),
    passes: run(
      'npm install',
      'npm ci',
      'npm install a@1',
      'npm install @x/a@1',
      'npm install ./a',
      'npm install a.tgz',
      'npm install git+https://x/y#v1',
      'npm run install a',
    ),
  },
  PinGemPackages: {
    passes: run('gem install a:1', 'gem install a -v 1', 'gem install a --version=1', 'gem list'),
  },
  PinGoPackages: {
    catches: run('go install x.org/a', 'go get x.org/a@master'),
    passes: run('go install ./...', 'go install x.org/a@v1', 'go build x.org/a', 'go run main.go'),
  },
  YarnCacheClean: {
    catches: run('yarn', 'yarn add a'),
    passes: run(
      'yarn install && yarn cache clean',
      'yarn build',
      'yarn --version',
      '--mount=type=cache,target=/usr/local/share/.cache/yarn yarn',
    ),
  },
  PointlessCommand: {
    catches: run('vim x', 'sudo kill 1', '/usr/sbin/service a start'),
    passes: run('systemctl enable a', 'echo top', 'apt-get install vim'),
  },
  UseWorkdir: { passes: run('(cd a && b)', 'x=$(cd a && pwd)', 'echo cd') },
  UseraddNoLogInit: {
    catches: run('useradd --uid=123456 a', 'useradd -u 123456 -m a'),
    passes: run('useradd -u 1000 a', 'useradd -lu 123456 a', 'useradd --no-log-init -u 123456 a'),
  },
  WgetProgress: {
    passes: run(
      'wget -q x',
      'wget -nv x',
      'wget --progress=dot x',
      'wget -qO- x',
      'wget -o log x',
      'wget --version',
      'wget -O a -q b',
    ),
  },
  WgetOrCurl: {
    catches: [file('RUN wget a && curl b')],
    passes: ['FROM a:1\nRUN wget a\nFROM b:1\nRUN curl b\n', file('RUN wget --version && curl b')],
  },
  UseShell: { passes: run('ln -s a b', 'ln -sf /bin/bash /bin/other') },
  SetPipefail: {
    catches: [...run('a | b'), file('SHELL ["/bin/sh", "-c"]\nRUN a | b')],
    passes: [
      ...run('set -o pipefail && a | b', 'a || b', '["a", "|", "b"]'),
      file('SHELL ["/bin/bash", "-o", "pipefail", "-c"]\nRUN a | b'),
      file('SHELL ["pwsh", "-c"]\nRUN a | b'),
      file('CMD a | b'),
      '# hadolint shell=powershell\n' + file('RUN a | b'),
      file('# hadolint shell=powershell\nRUN a | b'),
    ],
  },
  UselessCat: {
    passes: run(
      'cat a b | c',
      'cat | c',
      'cat -A a | c',
      'cat *.txt | c',
      'cat a > b',
      'cat $a | b',
    ),
  },
  GuardCd: {
    catches: run('cd a; b', 'cd a', 'cd a | b', 'a && cd b', 'pushd a'),
    passes: [
      ...run(
        'cd a && b',
        'cd a || exit 1; b',
        'set -e; cd a; b',
        'if cd a; then b; fi',
        'cd ..; b',
        '{ cd a; b; } || c',
      ),
      file('SHELL ["/bin/sh", "-ec"]\nRUN cd a; b'),
    ],
  },
  UselessBackslash: {
    catches: [...run('echo a\\nb'), '# escape=`\nFROM debian:12\nRUN echo a\\nb `\n  c\n'],
    passes: [
      'FROM mcr.microsoft.com/dotnet/framework/runtime:4.8\nRUN app\\setup.exe\n',
      '# escape=`\nFROM own:1\nRUN app\\setup.exe\n',
      '# escape=`\nFROM ${BASE}\nRUN app\\setup\n',
      ...run('echo a\\ b', 'echo "a\\nb"', "echo 'a\\n'", '\\rm a', 'echo \\$a', 'a \\\n  b'),
    ],
  },
  LiteralBrace: {
    catches: run('echo }'),
    passes: [
      ...run('find . -exec a {} \\;', "awk '{print}' a", '{ a; }', 'echo ${a}'),
      ...bash('echo {a,b}'),
    ],
  },
  EchoEscapes: { passes: run('echo -e "a\\n"', 'echo a', 'printf "a\\n"', 'echo "a\\\\n"') },
  GlobLikeOption: {
    catches: run('cp * /x', 'apt-get remove *-dev', 'tar czf a.tgz ?b'),
    passes: run('cp -- * /x', 'cp a* /x', 'echo *', 'ls "*"', 'rm [a]*', 'a ::: *'),
  },
  QuoteSubstitution: {
    catches: run('a `b`', 'a x$(b)'),
    passes: run('a "$(b)"', 'a=$(b)', 'case $(b) in *) c;; esac', 'for i in $(b); do c; done'),
  },
  QuoteVariable: {
    catches: [
      ...run(
        'x="a b"; a $x',
        'x=abc; x=$(y); a $x',
        'read x; a $x',
        'for x in "a b"; do c $x; done',
      ),
      file('ENV V="1 2"\nRUN a $V'),
      file('ARG V=1\nRUN a $V'),
      ...run('a $b', 'a x/$b', 'a > $b', 'a "$(c $d)"', 'export A=$b'),
    ],
    passes: [
      ...run('x=abc; a $x', 'for x in a b; do c $x; done', 'export x="a-b" && a $x'),
      file('ENV V=1.2\nRUN a $V'),

      ...run(
        'a "$b"',
        'a=$b',
        'for i in $b; do c; done',
        'case $b in x) c;; esac',
        'a $#',
        'a $?',
        'a ${#b}',
        'a $((b + $c))',
        'a <<< "$b"',
        "a '$b'",
        'a ${b:+"$b"}',
      ),
      ...bash('[[ $b == x ]]', 'export A=$b'),
    ],
  },
  BrokenDoubleQuotes: { passes: run('a "$b"c"$d"', 'a "b" c "d"', 'a "b"\'c\'"d"', 'a "x="b') },
  NestedSingleQuotes: { passes: run("a 'b' c 'd'", "a 'b'\\''c'", "a 'x'$y'z'") },
  SpaceAfterEquals: {
    catches: run('A= B=x; c'),
    passes: run('a=b c', "a='' c", 'IFS= read a', 'a= ; b'),
  },
  SpacedAssignment: {
    catches: run('a =b'),
    passes: run('chmod =2775 /opt', 'a=b', '[ a = b ]', 'test a = b', 'a == b', './a = b'),
  },
  MissingSpace: {
    catches: run('if[ -n x ]; then a; fi', '[-n x ] && b'),
    passes: run('[ -n x ] && b', 'a [b]', '[ a = [b] ]'),
  },
  DollarAssignment: { passes: run('$a b', '"$a"=b', '$a/b=c') },
  AndOrChain: {
    catches: run('a && b || true', 'a && b && c || d', 'a && echo b || c', 'a && b || { c; }'),
    passes: run(
      'a && b || echo c',
      'a || b',
      'a || b && c',
      'a && b || exit 1',
      'a && b || x=1',
      'a && b || c || d',
      'if a && b || c; then d; fi',
      '(a && b || c) && d',
    ),
  },
  UnassignedVariable: {
    catches: [
      ...run('echo "$foo"', 'echo "${foo}"', 'echo $((foo + 1))', 'echo $((10#$foo))'),
      ...bash('(( foo > 1 )) && a', 'for ((i = foo; i < 3; i++)); do a; done'),
    ],
    passes: [
      ...run(
        'foo=1; echo "$foo"',
        'for i in 1; do echo "$i"; done',
        'read -r x; echo "$x"',
        'echo "$FOO"',
        'echo "${foo:-x}"',
        '. ./a; echo "$foo"',
        'echo "$http_proxy"',
      ),
      ...run(
        'foo=1; echo $((foo + 1))',
        'echo $((0x1f + 010))',
        'echo $((FOO))',
        'x=1; : $((x += 1)); echo "$x"',
      ),
      ...bash(
        '(( foo = 1 )); echo "$foo"',
        'for ((i = 0; i < 3; i++)); do echo "$i"; done',
        '(( n++ )); echo "$n"',
        'declare -A t; (( t[key] = 1 ))',
        'read -r n; (( n > 1 )) && a',
      ),
      file('ARG n=1\nRUN echo $((n * 2))'),
      file('ARG foo\nRUN echo "$foo"'),
      file('ENV foo=1\nRUN echo "$foo"'),
      file('CMD echo "$foo"'),
    ],
  },
  DeclareAndAssign: {
    catches: run('export a=$(b)'),
    passes: run('export a=b', 'a=$(b)', 'export a'),
  },
  PosixShell: {
    catches: run(
      '[[ -n x ]]',
      'a &> b',
      'a <<< b',
      'echo -e x',
      '[ a == b ]',
      'set -o pipefail',
      'function f { a; }',
      'a=(b c)',
      'echo ${a/b/c}',
      'echo ${a:1:2}',
      'echo {a,b}',
      'pushd a',
      "echo $'a'",
      'echo $((a++))',
      'echo $((2 ** 3))',
      'echo $((10#08))',
      'echo $((10#$m))',
      'echo $((a[1]))',
      'echo $((a = 1, 2))',
    ),
    passes: [
      ...run('echo $((1 + 1))', 'a=1; echo $((a += 1))', 'echo $(( - -1 ))', 'echo "a++ 2 ** 3"'),
      file('RUN echo $((a++)) $((2 ** 3)) $((10#08))', 'alpine:3'),
      ...bash('[[ -n x ]]', 'source a', 'echo {a,b}'),
      file('RUN [[ -n x ]] && source a', 'alpine:3'),
      file('RUN a <<< b && echo {a,b}', 'fedora:40'),
      ...run('echo "[["', 'a > b 2>&1', 'echo a'),
    ],
  },
  ShellSyntax: {
    catches: [
      ...run('a && ', '(a', 'a | | b', '${a', 'x=$((1 +))', 'x=$((08))', 'x=$((a b))'),
      ...bash('(( a b ))', 'for ((i=0; i<; i++)); do a; done'),
    ],
    passes: [
      ...run(
        'a',
        'if a; then b; fi',
        'case a in b) c;; esac',
        '((cd a && make))',
        'x=$(($a $op 2))',
      ),
      ...bash('(( $# > 1 ))', 'x=$(( (1 << 4) | a[i] ))', '(( a ? b : c, d ))'),
    ],
  },
  SourceNotFollowed: { passes: run('. a') },
};

for (const [id, { catches = [], passes = [] }] of Object.entries(TABLE)) {
  if (catches.length > 0) {
    test(`${id} catches`, () => {
      for (const text of catches) assert.ok(codes(text).includes(id), `not caught:\n${text}`);
    });
  }
  if (passes.length > 0) {
    test(`${id} lets pass what is right`, () => {
      for (const text of passes) assert.ok(!codes(text).includes(id), `caught:\n${text}`);
    });
  }
}

function codes(text: string): string[] {
  return lintDockerfile(parseDockerfile(text)).problems.map(({ code }) => code);
}
