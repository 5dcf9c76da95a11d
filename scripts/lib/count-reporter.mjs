// A reporter for Node's test runner that ends with one JSON object: how many tests passed, and how many failed in which file (suites not counted).
export default async function* count(source) {
  let passed = 0;
  const failedIn = {};
  for await (const { type, data } of source) {
    if (data?.details?.type === 'suite') continue;
    if (type === 'test:pass') passed += 1;
    if (type === 'test:fail') {
      const file = data.file ?? data.name;
      failedIn[file] = (failedIn[file] ?? 0) + 1;
    }
  }
  yield JSON.stringify({ passed, failedIn });
}
