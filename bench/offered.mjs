// Which parties a checkout and this machine can offer.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** @returns `parties` made ready for `root`, and those `without` a Python or with an option that this version refuses */
export async function offered(all, root) {
  const { Client } = await import(pathToFileURL(join(root, 'dist', 'strict', 'index.js')).href)
  const able = ({ interpreter, protocol }) => {
    if (interpreter) return Boolean(process.env[interpreter])
    return !protocol || takes(Client, protocol)
  }
  return {
    parties: all
      .filter(able)
      .map((party) => ({ ...party, root, python: party.interpreter && process.env[party.interpreter] })),
    without: all.filter((party) => !able(party)),
  }
}

/** Making a client opens no connection. */
function takes(Client, protocol) {
  try {
    new Client(['127.0.0.1:11211'], { protocol })
    return true
  } catch {
    return false
  }
}
