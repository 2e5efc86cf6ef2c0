// The compat client as if it had no divergence events: there are no listeners, and no code checks for them.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { open as openCompat } from './memshim-compat.mjs'

export async function open(job) {
  const { Client } = await import(pathToFileURL(join(job.root, 'dist', 'compat', 'index.js')).href)
  // The class of what a client asks is not exported.
  const asked = Object.getPrototypeOf(new Client(job.servers).announcer)
  Object.defineProperties(asked, { active: { value: false }, heard: { value: undefined } })
  return openCompat(job)
}
