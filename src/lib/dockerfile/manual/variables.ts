/** The manual of variables: those that the builder itself knows, and the modifiers of `${name…}`. Data only. */
import { type Entry, reference } from './entry.ts';

const GLOBAL_PLATFORMS = reference('automatic-platform-args-in-the-global-scope');
const PREDEFINED = reference('predefined-args');
const BUILT_IN = reference('buildkit-built-in-build-args');

function platform(summary: string, sample: string): Entry {
  const text = `For example \`${sample}\`. FROM may use it at once; a stage declares it first: \`ARG\` and its name.`;
  return { summary, text, link: GLOBAL_PLATFORMS };
}

function proxy(summary: string): Entry {
  const text =
    'Needs no ARG, is not in the history of the image, and its value does not count for the cache.';
  return { summary, text, link: PREDEFINED };
}

function option(summary: string): Entry {
  return {
    summary,
    text: 'Read by the builder when it is given as a build argument.',
    link: BUILT_IN,
  };
}

/** Platform arguments; in the global scope without ARG. */
export const PLATFORM_ARGUMENTS: Readonly<Record<string, Entry>> = {
  TARGETPLATFORM: platform('the platform that is built for', 'linux/arm64'),
  TARGETOS: platform('the operating system that is built for', 'linux'),
  TARGETOSVERSION: platform('the version of the operating system that is built for', '10.0.20348'),
  TARGETARCH: platform('the architecture that is built for', 'arm64'),
  TARGETVARIANT: platform('the variant of the architecture that is built for', 'v7'),
  TARGETSTAGE: platform('the name of the stage that is built', 'default'),
  BUILDPLATFORM: platform('the platform of the machine that builds', 'linux/amd64'),
  BUILDOS: platform('the operating system of the machine that builds', 'linux'),
  BUILDOSVERSION: platform('the version of the operating system that builds', '10.0.20348'),
  BUILDARCH: platform('the architecture of the machine that builds', 'amd64'),
  BUILDVARIANT: platform('the variant of the architecture that builds', 'v7'),
};

/** Arguments that every stage has without ARG. */
export const PROXY_ARGUMENTS: Readonly<Record<string, Entry>> = Object.fromEntries(
  [
    ['HTTP_PROXY', 'the proxy for HTTP'],
    ['HTTPS_PROXY', 'the proxy for HTTPS'],
    ['FTP_PROXY', 'the proxy for FTP'],
    ['NO_PROXY', 'hosts that are reached without a proxy'],
    ['ALL_PROXY', 'the proxy for everything'],
  ].flatMap(([name = '', summary = '']) => [
    [name, proxy(summary)],
    [name.toLowerCase(), proxy(summary)],
  ]),
);

/** Arguments that change how the builder works. */
export const BUILDER_ARGUMENTS: Readonly<Record<string, Entry>> = {
  BUILDKIT_BUILD_NAME: option('the name of the build, as history and plain progress show it'),
  BUILDKIT_CACHE_MOUNT_NS: option('a prefix of the names of cache mounts'),
  BUILDKIT_CONTEXT_KEEP_GIT_DIR: option('keeps .git in a git context'),
  BUILDKIT_DOCKERFILE_CHECK: option('the checks to skip, and whether they fail the build'),
  BUILDKIT_INLINE_CACHE: option("writes the cache's data into the image"),
  BUILDKIT_MULTI_PLATFORM: option('answers with a multi-platform result for one platform too'),
  BUILDKIT_SANDBOX_HOSTNAME: option("the host name of RUN's containers (default: buildkitsandbox)"),
  BUILDKIT_SYNTAX: option('the frontend image, as `# syntax=` sets it'),
  SOURCE_DATE_EPOCH: option(
    'the time stamp, in seconds, of what is built, for reproducible images',
  ),
};

/** The entry of a name that the builder knows by itself. */
export function predefinedEntry(name: string): Entry | undefined {
  for (const table of [PLATFORM_ARGUMENTS, PROXY_ARGUMENTS, BUILDER_ARGUMENTS]) {
    if (Object.hasOwn(table, name)) return table[name];
  }
  return undefined;
}

export interface Modifier {
  /** Behind the name: `:-`. */
  readonly operator: string;
  /** What stands behind the operator. */
  readonly operand: string;
  readonly summary: string;
}

/** What may stand behind a variable's name in braces. */
export const MODIFIERS: readonly Modifier[] = [
  { operator: ':-', operand: 'word', summary: 'the word when the variable is unset or empty' },
  { operator: '-', operand: 'word', summary: 'the word when the variable is unset' },
  {
    operator: ':+',
    operand: 'word',
    summary: 'the word when the variable has a value, else nothing',
  },
  { operator: '+', operand: 'word', summary: 'the word when the variable is set, else nothing' },
  { operator: ':?', operand: 'message', summary: 'fails when the variable is unset or empty' },
  { operator: '?', operand: 'message', summary: 'fails when the variable is unset' },
  { operator: '#', operand: 'pattern', summary: 'without the shortest match at its start' },
  { operator: '##', operand: 'pattern', summary: 'without the longest match at its start' },
  { operator: '%', operand: 'pattern', summary: 'without the shortest match at its end' },
  { operator: '%%', operand: 'pattern', summary: 'without the longest match at its end' },
  { operator: '/', operand: 'pattern/replacement', summary: 'with the first match replaced' },
  { operator: '//', operand: 'pattern/replacement', summary: 'with every match replaced' },
];
