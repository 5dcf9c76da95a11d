/** The variables of devcontainer.json (containers.dev, "Variables in devcontainer.json"), replaced in any JSON value. */

export interface VariableScope {
  readonly localEnv: Readonly<Record<string, string | undefined>>;
  readonly localWorkspaceFolder: string;
  readonly containerWorkspaceFolder: string;
  readonly devcontainerId: string;
  /** Known only once the container runs; without it `${containerEnv:…}` stays as it is. */
  readonly containerEnv?: Readonly<Record<string, string | undefined>>;
}

/** A copy of the value with every variable in its strings replaced; unknown ones stay. */
export function substitute<T>(value: T, scope: VariableScope): T {
  if (typeof value === 'string') return substituteText(value, scope) as T;
  if (Array.isArray(value)) return value.map((item: unknown) => substitute(item, scope)) as T;
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, substitute(item as unknown, scope)]),
    ) as T;
  }
  return value;
}

function substituteText(text: string, scope: VariableScope): string {
  return text.replaceAll(
    /\$\{([^}]*)\}/g,
    (whole, inner: string) => valueOf(inner, scope) ?? whole,
  );
}

function valueOf(inner: string, scope: VariableScope): string | undefined {
  const [kind = '', name = '', ...fallback] = inner.split(':');
  switch (kind) {
    case 'env':
    case 'localEnv':
      return scope.localEnv[name] ?? fallback.join(':');
    case 'containerEnv':
      return scope.containerEnv === undefined
        ? undefined
        : (scope.containerEnv[name] ?? fallback.join(':'));
    case 'localWorkspaceFolder':
      return scope.localWorkspaceFolder;
    case 'localWorkspaceFolderBasename':
      return lastPart(scope.localWorkspaceFolder);
    case 'containerWorkspaceFolder':
      return scope.containerWorkspaceFolder;
    case 'containerWorkspaceFolderBasename':
      return lastPart(scope.containerWorkspaceFolder);
    case 'devcontainerId':
      return scope.devcontainerId;
    default:
      return undefined;
  }
}

function lastPart(path: string): string {
  return path.split('/').findLast((part) => part !== '') ?? '';
}
