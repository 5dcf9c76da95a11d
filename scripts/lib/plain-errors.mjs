// Loaded before every task: what ends a task is told in words, with the stack only on request (PINNACE_STACK=1).
process.on('uncaughtException', (error) => {
  const text = error instanceof Error && !process.env.PINNACE_STACK ? error.message : error;
  console.error('failed:', text);
  process.exit(1);
});
