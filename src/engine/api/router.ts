/** Finds the route of a method and path in the one route table. Static paths win over templates. */

import { EngineError } from '../../lib/errors.ts';
import { ROUTES, takesSlashes } from '../../lib/api/routes.ts';
import type { Route } from '../../lib/api/routes.ts';

export interface Match {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

interface Template {
  readonly route: Route;
  readonly pattern: RegExp;
  readonly keys: readonly string[];
}

export type Router = (method: string, path: string) => Match | undefined;

/** A router over the table. It throws EngineError (invalid) for a path with broken percent-encoding. */
export function createRouter(routes: readonly Route[] = ROUTES): Router {
  const exact = new Map<string, Route>();
  const templates = new Map<string, Template[]>();
  for (const route of routes) {
    if (!route.path.includes('{')) exact.set(`${route.method} ${route.path}`, route);
    else templates.set(route.method, [...(templates.get(route.method) ?? []), compile(route)]);
  }
  return (method, path) => {
    const route = exact.get(`${method} ${path}`);
    if (route !== undefined) return { route, params: {} };
    for (const template of templates.get(method) ?? []) {
      const found = template.pattern.exec(path);
      if (found !== null) return { route: template.route, params: paramsOf(template, found) };
    }
    return undefined;
  };
}

function compile(route: Route): Template {
  const keys: string[] = [];
  const any = takesSlashes(route.path) ? '(.+)' : '([^/]+)';
  const source = route.path.replace(/[.]/g, '\\.').replace(/\{(\w+)\}/g, (_whole, key: string) => {
    keys.push(key);
    return any;
  });
  return { route, pattern: new RegExp(`^${source}$`), keys };
}

function paramsOf(template: Template, found: RegExpExecArray): Record<string, string> {
  const params: Record<string, string> = {};
  template.keys.forEach((key, at) => {
    const raw = found[at + 1] ?? '';
    try {
      params[key] = decodeURIComponent(raw);
    } catch {
      throw new EngineError('invalid', `the path has broken percent-encoding in {${key}}: ${raw}`);
    }
    if (params[key].includes('\0'))
      throw new EngineError('invalid', `{${key}} in the path holds a NUL`);
  });
  return params;
}
