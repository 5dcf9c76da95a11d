// Who may import whom (docs/architecture.md): the lines between the processes and the layers of the engine.
const only = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: from, pathNot: '\\.test\\.ts$' },
  to: { path: '^(src|language-server|test|scripts)/', pathNot: [from, ...allowed] },
});
const engine = (part) => `^src/engine/${part}/`;

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    only('lib-imports-nothing', '^src/lib/', []),
    only('client-imports-lib', '^src/client/', ['^src/lib/']),
    only('extension-imports-client-and-lib', '^src/extension/', ['^src/client/', '^src/lib/']),
    only('cli-imports-client-and-lib', '^src/cli/', ['^src/client/', '^src/lib/']),
    only('language-server-imports-client-and-lib', '^language-server/', [
      '^src/client/',
      '^src/lib/',
    ]),
    only('engine-imports-lib', '^src/engine/', ['^src/lib/']),
    only('api-imports-lib', engine('api'), ['^src/lib/']),
    only('containers', engine('containers'), [
      '^src/lib/',
      '^src/engine/(images|network|volumes|runtime|storage|events)/',
    ]),
    only('builder', engine('builder'), [
      '^src/lib/',
      '^src/engine/(images|runtime|storage|events/types)',
    ]),
    only('images', engine('images'), [
      '^src/lib/',
      '^src/engine/(runtime|storage)/',
      '^src/engine/events/types',
    ]),
    only('network', engine('network'), ['^src/lib/', '^src/engine/(runtime|storage)/']),
    only('volumes', engine('volumes'), ['^src/lib/', '^src/engine/(runtime|storage)/']),
    only('runtime', engine('runtime'), ['^src/lib/']),
    only('storage', engine('storage'), ['^src/lib/', '^src/engine/runtime/types']),
    only('events', engine('events'), ['^src/lib/']),
    {
      name: 'vscode-only-in-extension',
      severity: 'error',
      from: { pathNot: '^(src/extension|test)/' },
      to: { path: '^vscode$' },
    },
    {
      name: 'child-process-only-in-runtime',
      severity: 'error',
      from: { path: '^src/engine/', pathNot: ['^src/engine/runtime/', '\\.test\\.ts$'] },
      to: { path: '^(node:)?child_process$' },
    },
    {
      name: 'lib-is-pure',
      severity: 'error',
      from: { path: '^src/lib/', pathNot: '\\.test\\.ts$' },
      to: {
        dependencyTypes: ['core', 'npm', 'npm-dev'],
        pathNot: ['node_modules/(yaml|jsonc-parser)/'],
      },
    },
    {
      name: 'no-unresolved',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^(vscode|node:sqlite)$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.mjs', '.js', '.cjs'],
    },
  },
};
