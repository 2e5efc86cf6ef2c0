import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    setupFiles: ['test/support/seed.ts'],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    // Two forks: the test machine may have two cores, and the fault tests open many sockets.
    pool: 'forks',
    maxWorkers: 2,
    // Tests that run side by side in a file mostly wait for deadlines.
    maxConcurrency: 16,
    // A busy machine may stand still for a second.
    expect: { poll: { timeout: 20_000 } },
    execArgv: ['--expose-gc'],
    chaiConfig: { truncateThreshold: 400 },
  },
})
