// The packages that are made of one manifest: what each changes in it. The files are the same.

/** What is read and changed of package.json here. */
export interface Manifest {
  readonly activationEvents: readonly string[];
  readonly contributes: Readonly<Record<string, unknown>>;
  readonly [key: string]: unknown;
}

export interface Variant {
  /** In the file's name, behind the version. */
  readonly name: string;
  readonly manifest: (manifest: Manifest) => Manifest;
}

export const ORDINARY: Variant = { name: '', manifest: (manifest) => manifest };

/**
 * For editors that are told to allow it: a window of a desktop editor opens in a container by itself (docs/decisions/0018).
 * Marketplaces refuse proposed API. It runs where the window is: the editor asks there where the remote window leads.
 */
export const RESOLVERS: Variant = {
  name: '-resolvers',
  manifest: (manifest) => ({
    ...manifest,
    enabledApiProposals: ['resolvers'],
    extensionKind: ['ui', 'workspace'],
    activationEvents: [...manifest.activationEvents, 'onResolveRemoteAuthority:pinnace'],
    contributes: {
      ...manifest.contributes,
      resourceLabelFormatters: [
        {
          scheme: 'vscode-remote',
          authority: 'pinnace+*',
          formatting: {
            label: '${path}',
            separator: '/',
            tildify: true,
            workspaceSuffix: 'Container',
          },
        },
      ],
    },
  }),
};
