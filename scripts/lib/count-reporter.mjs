// A reporter for Node's test runner that ends with one JSON object: how many tests passed and failed (suites not counted).
export default async function* count(source) {
  const counts = { passed: 0, failed: 0 };
  for await (const event of source) {
    if (event.data?.details?.type === 'suite') continue;
    if (event.type === 'test:pass') counts.passed += 1;
    if (event.type === 'test:fail') counts.failed += 1;
  }
  yield JSON.stringify(counts);
}
