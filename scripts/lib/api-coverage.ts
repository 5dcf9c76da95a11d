// The page on what of the Docker Engine API is there, made from the one route table.
import { ROUTES, type RouteState } from '../../src/lib/api/routes.ts';
import { API_VERSION, MIN_API_VERSION } from '../../src/lib/api/versions.ts';

const WORDS: Record<RouteState, string> = {
  built: 'yes',
  planned: 'not yet (501)',
  absent: 'no: swarm or plugins (501)',
};

/** Markdown, one row for each route, in the table's order. */
export function coveragePage(): string {
  const count = (state: RouteState): number =>
    ROUTES.filter((route) => route.state === state).length;
  const rows = ROUTES.map(
    ({ method, path, since, state, summary }) =>
      `| ${method} | \`${path}\` | ${since} | ${WORDS[state]} | ${summary} |`,
  );
  return `# The Engine API: what is there

Generated from \`src/lib/api/routes.ts\` by \`scripts/api-coverage.mjs\`; a test compares them.

API versions ${MIN_API_VERSION} to ${API_VERSION}. Of ${ROUTES.length} routes ${count('built')} are answered, ${count('planned')} are known and answer 501 with a message that names them, and ${count('absent')} belong to swarm and plugins, which Pinnace does not have. Any other path answers 404.

| Method | Path | Since | Here | What it does |
| --- | --- | --- | --- | --- |
${rows.join('\n')}
`;
}
