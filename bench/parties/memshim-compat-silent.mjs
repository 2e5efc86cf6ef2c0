// The compat client as if it had no divergence events: nobody ever listens, and nothing asks whether somebody does.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { open as openCompat } from './memshim-compat.mjs'

export async function open(job) {
  const { Announcer } = await import(pathToFileURL(join(job.root, 'dist', 'compat', 'divergence.js')).href)
  Object.defineProperties(Announcer.prototype, { active: { value: false }, heard: { value: undefined } })
  return openCompat(job)
}
