// Another commit of this repository, built beside it.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, unlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fail, root, run } from '../../scripts/setup.mjs'

function git(...args) {
  const done = spawnSync('git', args, { cwd: root, encoding: 'utf8' })
  if (done.error) fail(`git could not be started: ${done.error.message}`)
  return done
}

/** @returns `commit` and the `path` where it is checked out under .cache/ and built */
export function checkoutOf(name) {
  const found = git('rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`)
  if (found.status !== 0) fail(`${name} is not a commit of this repository`)
  const commit = found.stdout.trim()
  const path = join(root, '.cache', `bench-base-${commit.slice(0, 12)}`)
  const checkout = { commit, path }
  removeCheckout(checkout)
  mkdirSync(dirname(path), { recursive: true })
  const added = git('worktree', 'add', '--detach', path, commit)
  if (added.status !== 0) fail(`git worktree add failed: ${added.stderr.trim()}`)
  if (!existsSync(join(path, 'scripts', 'build.mjs'))) {
    removeCheckout(checkout)
    fail(`${name} has no scripts/build.mjs: it is too old to be compared`)
  }
  const lock = (directory) => readFileSync(join(directory, 'package-lock.json'), 'utf8')
  if (lock(path) !== lock(root))
    console.log(`${name} pins other dependencies; it runs with the ones installed here`)
  symlinkSync(join(root, 'node_modules'), join(path, 'node_modules'), 'junction')
  console.log(`Building ${name} …`)
  run(process.execPath, [join(path, 'scripts', 'build.mjs')], { cwd: path })
  return checkout
}

/** Takes the checkout away. The link goes first, so that nothing deletes through it. */
export function removeCheckout({ path }) {
  if (!existsSync(path)) return
  const link = join(path, 'node_modules')
  if (existsSync(link)) unlinkSync(link)
  git('worktree', 'remove', '--force', path)
  rmSync(path, { recursive: true, force: true })
  git('worktree', 'prune')
}
