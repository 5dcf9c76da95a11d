/**
 * Decides whether a stage is built on Windows, and with it the shell that a stage without SHELL has. The order of what
 * is believed is told in docs/language-server.md ("Windows files"); nothing is known here but the file.
 */
import type { Dockerfile, Instruction, Stage } from '../syntax.ts';
import { DEFAULT_SHELL, shellFrom, type ShellInForce, WINDOWS_SHELL } from './shells.ts';

/** Gives the shell with which a stage of a file begins whose base is an image, as far as the file tells. */
export function baseShells(file: Dockerfile): (stage: Stage) => ShellInForce {
  const names = new DefaultNames(file);
  return (stage) => (isWindows(file, stage, names) ? WINDOWS_SHELL : DEFAULT_SHELL);
}

/** Words of names and tags that only Windows images have. */
const WINDOWS_NAME =
  /(?:^|[/:._-])(?:windowsservercore|nanoserver|servercore|winamd64|ltsc20\d\d)(?![a-z])|\bdotnet[-/]framework\b|^mcr\.microsoft\.com\/windows\b|^microsoft\/(?:iis|aspnet|wcf|windows\w*)(?:[:@]|$)/i;

/** A Linux image may have this word too (a cross compiler has), but then its name tells a distribution as well. */
const WINDOWS_WORD = /(?:^|[/:_-])windows\b/i;

/** Tags that name a distribution of Linux. */
const LINUX_TAG =
  /(?:^|[._-])(?:alpine|slim|bookworm|bullseye|buster|trixie|stretch|jammy|focal|noble|bionic|debian|ubuntu|fedora|centos|rocky|ubi|azurelinux|mariner|cbl|chiseled|linux|musl)(?![a-z])/i;

/** Images of the Docker Hub that there are for Linux only; golang, python and others are there for Windows as well. */
const LINUX_IMAGES = new Set(
  (
    'almalinux alpine alt amazonlinux archlinux bash buildpack-deps busybox cassandra centos clearlinux clojure ' +
    'composer debian drupal elixir erlang fedora gcc haproxy haskell httpd mariadb memcached mysql ' +
    'nextcloud nginx node opensuse oraclelinux perl php photon postgres rabbitmq redis rockylinux ruby scratch sl ' +
    'swift ubuntu varnish wordpress'
  ).split(' '),
);

/** Registries and namespaces that hold nothing for Windows. */
const LINUX_PLACES =
  /^(?:registry\.access\.redhat\.com|registry\.redhat\.io|gcr\.io\/distroless|cgr\.dev|nvcr\.io|dockcross|quay\.io\/(?:centos|fedora|pypa)|nvidia\/cuda|mcr\.microsoft\.com\/(?:azurelinux|cbl-mariner|devcontainers|vscode\/devcontainers|playwright))\//;

/** A stage shows early what it is: this runs at every change of a file. */
const LOOKED_AT = 100;

function isWindows(file: Dockerfile, { from, instructions }: Stage, names: DefaultNames): boolean {
  const platform = from.platform?.text ?? '';
  if (/^windows\b/i.test(platform)) return true;
  if (/^linux\b/i.test(platform)) return false;
  const named = names.platformOf(from.image.text);
  if (named !== undefined) return named;
  // Who chose the backtick has backslashes in paths, as a rule; it alone is not enough.
  const hasBacktick = file.directives.escapeCharacter === '`';
  const first = instructions.length > LOOKED_AT ? instructions.slice(0, LOOKED_AT) : instructions;
  if (first.some((each) => showsWindows(each, hasBacktick))) return true;
  return hasBacktick && !first.some(showsLinux);
}

/** Whether an image is one for Windows by its name; undefined where the name does not tell. */
export function platformOfName(image: string): boolean | undefined {
  if (WINDOWS_NAME.test(image)) return true;
  const [, path = '', tag = ''] = /^(.*?)(?::([\w.-]+))?(?:@.*)?$/s.exec(image) ?? [];
  if (LINUX_TAG.test(tag) || LINUX_PLACES.test(path)) return false;
  if (LINUX_IMAGES.has(path.slice(path.lastIndexOf('/') + 1))) return false;
  return WINDOWS_WORD.test(image) ? true : undefined;
}

/** Longer names are none. */
const NAME_LIMIT = 1000;

/** Names of images in which the arguments before the first FROM stand for their defaults: what a build is given is not known. */
class DefaultNames {
  private readonly file: Dockerfile;
  private values: ReadonlyMap<string, string> | undefined;
  private readonly known = new Map<string, boolean | undefined>();

  constructor(file: Dockerfile) {
    this.file = file;
  }

  platformOf(text: string): boolean | undefined {
    if (this.known.has(text)) return this.known.get(text);
    const platform = platformOfName(this.expand(text));
    this.known.set(text, platform);
    return platform;
  }

  private expand(text: string): string {
    if (text.length > NAME_LIMIT) return '';
    if (!text.includes('$')) return text;
    const values = (this.values ??= defaultsOf(this.file));
    return text.replaceAll(
      /\$(?:(\w+)|\{(\w+)(?::?-([^}]*))?[^}]*\})/g,
      (_, bare: string | undefined, braced: string | undefined, otherwise: string | undefined) =>
        values.get(bare ?? braced ?? '') ?? otherwise ?? '',
    );
  }
}

function defaultsOf({ instructions }: Dockerfile): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const each of instructions) {
    if (each.kind === 'FROM') break;
    const pairs = each.kind === 'ARG' ? each.pairs : [];
    for (const { name, value } of pairs)
      if (value !== undefined) values.set(name.text, value.text.replaceAll(/["']/g, ''));
  }
  return values;
}

const DRIVE = /^["'[\s]*[a-z]:(?:[\\/]|["'\]\s]*$)/i;
/** What a command line of cmd or PowerShell has. */
const WINDOWS_COMMAND =
  /\b(?:powershell|pwsh|cmd(?:\.exe)?\s+\/[cks]|msiexec|choco|setx|icacls|xcopy|robocopy|reg(?:\.exe)?\s+add|dism(?:\.exe)?|Start-Process|Invoke-WebRequest|Remove-Item)\b|\b[a-z]:\\|\w\.(?:exe|msi|ps1|bat|cmd)\b|%\w+%|\$env:/i;

/** The colon is looked for first: most paths have none. */
function hasDrive(path: string): boolean {
  return path.includes(':') && DRIVE.test(path);
}

function showsWindows(instruction: Instruction, hasBacktick: boolean): boolean {
  switch (instruction.kind) {
    case 'SHELL': {
      const { dialect, words } = shellFrom(instruction.words.map(({ text }) => text));
      // PowerShell's newer program is there on Linux as well.
      const isNewer = /(?:^|[\\/])pwsh(?:\.exe)?$/i.test(words[0] ?? '');
      return dialect === 'cmd' || (dialect === 'powershell' && (hasBacktick || !isNewer));
    }
    case 'WORKDIR':
      return hasDrive(instruction.value.text);
    case 'USER':
      return /^["']?(?:NT AUTHORITY\\|Container(?:Administrator|User)\b)/i.test(
        instruction.value.text,
      );
    case 'COPY':
    case 'ADD':
      return hasDrive(instruction.dest.text);
    case 'RUN':
    case 'CMD':
    case 'ENTRYPOINT':
      return hasBacktick && WINDOWS_COMMAND.test(instruction.argument.text);
    case 'ENV':
      return hasBacktick && /[a-z]:\\/i.test(instruction.argument.text);
    default:
      return false;
  }
}

/** Commands and directories that only Linux has. */
const LINUX_COMMAND =
  /(?:^|[\s;&|(])(?:apt-get|apt|apk|dnf|microdnf|yum|zypper|pacman|chmod|chown|useradd|adduser|groupadd|addgroup|ln\s+-s|rm\s+-[rf]|mkdir\s+-p|sed\s+-i|set\s+-[eux]|export\s)|(?:^|[\s="'])\/(?:bin|etc|home|lib|opt|root|sbin|srv|tmp|usr|var)\//;
const LINUX_PATH = /^["'[\s]*\/(?:bin|etc|home|lib|opt|root|sbin|srv|tmp|usr|var)(?:\/|["'\]\s]*$)/;

function showsLinux(instruction: Instruction): boolean {
  switch (instruction.kind) {
    case 'SHELL': {
      const { dialect } = shellFrom(instruction.words.map(({ text }) => text));
      return dialect === 'sh' || dialect === 'bash' || dialect === 'ksh' || dialect === 'zsh';
    }
    case 'WORKDIR':
      return LINUX_PATH.test(instruction.value.text);
    case 'COPY':
    case 'ADD':
      return LINUX_PATH.test(instruction.dest.text);
    case 'RUN':
    case 'CMD':
    case 'ENTRYPOINT':
      return LINUX_COMMAND.test(instruction.argument.text);
    default:
      return false;
  }
}
