// Which parties a checkout and this machine can offer.
/** @returns `parties` made ready for `root`, and those `without` a Python */
export function offered(all, root) {
  const able = ({ interpreter }) => !interpreter || Boolean(process.env[interpreter])
  return {
    parties: all
      .filter(able)
      .map((party) => ({ ...party, root, python: party.interpreter && process.env[party.interpreter] })),
    without: all.filter((party) => !able(party)),
  }
}
