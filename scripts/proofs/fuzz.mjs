// The fuzzer: npm run fuzz -- --runs 1000000 --seed 7 [--only "text replies"]
import { runBundled } from '../bundle.mjs'
import { ensureDependencies } from '../setup.mjs'

ensureDependencies()
process.exit(
  await runBundled('fuzz', 'test/fuzz/main.ts', ['--max-old-space-size=512'], process.argv.slice(2)),
)
