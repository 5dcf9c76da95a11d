/** The one table of the ways into a container, what each needs of the editor, and which is taken. Pure. */
import { EngineError } from '../../lib/errors.ts';

/** Extensions that open folders over SSH. */
export const SSH_EXTENSIONS = ['ms-vscode-remote.remote-ssh', 'jeanp413.open-remote-ssh'] as const;

export type Way = 'resolver' | 'browser' | 'ssh';

/**
 * Whether the editor asks us where its remote windows lead: `absent`, this package does not ask for it; `refused`, the
 * editor does not allow it; `web`, `remote`: the window is a browser's, or our code does not run where the window is.
 */
export type ResolverState = 'ready' | 'absent' | 'refused' | 'web' | 'remote';

export interface WayFacts {
  /** The editor's own files are those of a VS Code Server. */
  readonly server: boolean;
  /** One of SSH_EXTENSIONS is installed. */
  readonly ssh: boolean;
  readonly resolver: ResolverState;
}

interface WayRow {
  readonly way: Way;
  readonly title: string;
  /** Why it cannot be taken, with the way out; undefined: it can. */
  readonly missing: (facts: WayFacts) => string | undefined;
}

const RESOLVER: Readonly<Record<Exclude<ResolverState, 'ready'>, string>> = {
  absent:
    'this package of Pinnace does not ask for the API that it needs (install the one whose name ends in -resolvers)',
  refused:
    'the editor does not allow the API that it needs (add "enable-proposed-api": ["pinnace.pinnace"] with Preferences: Configure Runtime Arguments, and start the editor again)',
  web: 'a browser never asks extensions where its remote windows lead',
  remote: 'Pinnace runs on another machine than this window',
};

/** Best first. */
export const WAYS: readonly WayRow[] = [
  {
    way: 'resolver',
    title: 'a window of this editor',
    missing: ({ resolver }) => (resolver === 'ready' ? undefined : RESOLVER[resolver]),
  },
  {
    way: 'browser',
    title: 'a browser window',
    missing: ({ server }) =>
      server
        ? undefined
        : 'this editor brings no VS Code Server along (code-server and the server of VS Code do)',
  },
  {
    way: 'ssh',
    title: 'a window over SSH',
    missing: ({ ssh }) =>
      ssh
        ? undefined
        : `no extension that opens folders over SSH is installed (${SSH_EXTENSIONS.join(' or ')})`,
  },
];

export interface Choice {
  readonly way: Way;
  /** For the log: what is taken, and why not the others. */
  readonly why: string;
}

/** The way that the setting asks for, or the best that there is. Throws `unavailable` with the reason of each that is not. */
export function wayOf(setting: unknown, facts: WayFacts): Choice {
  const rows = WAYS.map((row) => ({ ...row, reason: row.missing(facts) }));
  const asked = rows.find(({ way }) => way === setting);
  const usable = rows.filter(({ reason }) => reason === undefined);
  const taken = asked === undefined ? usable[0] : usable.find(({ way }) => way === asked.way);
  const closed = rows.filter(({ reason }) => reason !== undefined);
  const reasons = closed.map(({ title, reason }) => `${title}: ${String(reason)}`).join('; ');
  if (taken !== undefined)
    return {
      way: taken.way,
      why: `opening ${taken.title}${reasons === '' ? '' : ` (not ${reasons})`}`,
    };
  if (asked === undefined)
    throw new EngineError('unavailable', `this editor has no way into a container. ${reasons}`);
  const others = usable.map(({ way }) => way);
  throw new EngineError(
    'unavailable',
    `pinnace.devcontainer.open asks for ${asked.title}, but ${String(asked.reason)}; ${
      others.length === 0
        ? `and there is no other way. ${reasons}`
        : `set it to auto or ${others.join(' or ')}`
    }`,
  );
}
