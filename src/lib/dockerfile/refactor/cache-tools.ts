/** What is known of package managers' caches: where they lie, how they are switched off, what empties them. Data. */

export interface CacheTool {
  readonly title: string;
  /** Names of its commands. */
  readonly commands: readonly string[];
  /** The subcommands that fill the cache. */
  readonly fills: RegExp;
  readonly folders: readonly string[];
  /** It does not bear two users at a time. */
  readonly locked: boolean;
  /** The folders are root's own: with another user they lie elsewhere. */
  readonly ofRoot: boolean;
  /** Options that switch the cache off, and what is written in their place. */
  readonly defeats: ReadonlyMap<string, string>;
  /** Command lines (blanks as one) that empty it. */
  readonly empties: RegExp;
  /** Variables that move the cache or switch it off. */
  readonly variables: readonly string[];
  /** Put behind the command's name where it is not there. */
  readonly keep?: ReadonlyMap<string, string>;
  /** A command that has to run before, unless the script has its last word. */
  readonly first?: string;
}

const NONE: ReadonlyMap<string, string> = new Map();

/** Debian's images delete what apt has fetched; https://docs.docker.com/reference/dockerfile/#run---mounttypecache. */
const DOCKER_CLEAN = 'rm -f /etc/apt/apt.conf.d/docker-clean';

export const CACHE_TOOLS: readonly CacheTool[] = [
  {
    title: 'apt',
    commands: ['apt-get', 'apt'],
    fills: /^(?:install|upgrade|dist-upgrade|full-upgrade|build-dep)$/,
    folders: ['/var/cache/apt', '/var/lib/apt'],
    locked: true,
    ofRoot: false,
    defeats: NONE,
    empties:
      /^(?:apt(?:-get)? (?:-\S+ )*(?:clean|autoclean|auto-clean|distclean|dist-clean)|rm (?:-\S+ )+(?:\/var\/(?:lib|cache)\/apt\/?\S*\s?)+)$/,
    variables: [],
    keep: new Map([['apt', '-o Binary::apt::APT::Keep-Downloaded-Packages=true']]),
    first: DOCKER_CLEAN,
  },
  {
    title: 'apk',
    commands: ['apk'],
    fills: /^(?:add|upgrade)$/,
    folders: ['/etc/apk/cache'],
    locked: true,
    ofRoot: false,
    defeats: new Map([['--no-cache', '--update-cache']]),
    empties:
      /^(?:apk (?:-\S+ )*cache (?:-\S+ )*(?:clean|purge)|rm (?:-\S+ )+(?:\/(?:var\/cache|etc)\/apk\/?\S*\s?)+)$/,
    variables: [],
  },
  {
    title: 'dnf',
    commands: ['dnf', 'microdnf'],
    fills: /^(?:install|upgrade|update|builddep|groupinstall)$/,
    folders: ['/var/cache/dnf', '/var/cache/libdnf5'],
    locked: true,
    ofRoot: false,
    defeats: new Map([['--setopt=keepcache=0', '--setopt=keepcache=1']]),
    empties:
      /^(?:(?:micro)?dnf (?:-\S+ )*clean (?:all|packages)|rm (?:-\S+ )+(?:\/var\/cache\/(?:dnf|yum|libdnf5)\/?\S*\s?)+)$/,
    variables: [],
    keep: new Map([
      ['dnf', '--setopt=keepcache=1'],
      ['microdnf', '--setopt=keepcache=1'],
    ]),
  },
  {
    title: 'npm',
    commands: ['npm'],
    fills: /^(?:install|i|ci|add|install-test|update)$/,
    folders: ['/root/.npm'],
    locked: false,
    ofRoot: true,
    defeats: NONE,
    empties:
      /^(?:npm cache clean(?: (?:--force|-f))?|rm (?:-\S+ )+(?:(?:\/root|~)\/\.npm\/?\S*\s?)+)$/,
    variables: ['npm_config_cache', 'NPM_CONFIG_CACHE'],
  },
  {
    title: 'Yarn',
    commands: ['yarn'],
    fills: /^(?:install|add|upgrade|--\S+|)$/,
    folders: ['/usr/local/share/.cache/yarn'],
    locked: true,
    ofRoot: true,
    defeats: NONE,
    empties: /^yarn cache clean(?: --all)?$/,
    variables: ['YARN_CACHE_FOLDER', 'XDG_CACHE_HOME'],
  },
  {
    title: 'pip',
    commands: ['pip', 'pip3'],
    fills: /^(?:install|download|wheel)$/,
    folders: ['/root/.cache/pip'],
    locked: false,
    ofRoot: true,
    defeats: new Map([['--no-cache-dir', '']]),
    empties: /^(?:pip3? cache purge|rm (?:-\S+ )+(?:(?:\/root|~)\/\.cache(?:\/pip)?\/?\*?\s?)+)$/,
    variables: ['PIP_CACHE_DIR', 'PIP_NO_CACHE_DIR', 'XDG_CACHE_HOME'],
  },
  {
    title: 'Go',
    commands: ['go'],
    fills: /^(?:build|install|get|test|mod|run|vet|generate|list)$/,
    folders: ['/go/pkg/mod', '/root/.cache/go-build'],
    locked: false,
    ofRoot: true,
    defeats: NONE,
    empties:
      /^(?:go clean(?: -(?:mod)?cache)+|rm (?:-\S+ )+(?:(?:\/root\/\.cache(?:\/go-build)?|\/go\/pkg\/mod)\/?\*?\s?)+)$/,
    variables: ['GOPATH', 'GOMODCACHE', 'GOCACHE', 'XDG_CACHE_HOME'],
  },
  {
    title: 'Cargo',
    commands: ['cargo'],
    fills: /^(?:build|install|test|fetch|check|run|b|chef)$/,
    folders: ['/usr/local/cargo/registry', '/usr/local/cargo/git/db'],
    locked: false,
    ofRoot: false,
    defeats: NONE,
    empties: /^rm (?:-\S+ )+(?:\/usr\/local\/cargo\/(?:registry|git)\/?\S*\s?)+$/,
    variables: ['CARGO_HOME'],
  },
];
