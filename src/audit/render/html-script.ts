/**
 * The only script of the HTML report: sorts tables and filters by switch. The page is complete without it. It is a constant, and the page's
 * content security policy allows exactly this text by its hash, so that no text of a trace can run.
 */
import { createHash } from 'node:crypto'

export const script = `
for (const table of document.querySelectorAll('table.sortable')) {
  const body = table.tBodies[0]
  table.querySelectorAll('th button').forEach((button) => {
    const th = button.parentElement
    button.addEventListener('click', () => {
      const down = th.getAttribute('aria-sort') !== 'descending'
      for (const other of table.querySelectorAll('th')) other.removeAttribute('aria-sort')
      th.setAttribute('aria-sort', down ? 'descending' : 'ascending')
      const value = (row) => row.cells[th.cellIndex].dataset.sort ?? row.cells[th.cellIndex].textContent.trim()
      const rows = [...body.rows].sort((a, b) => {
        const [x, y] = [value(a), value(b)]
        const order = isNaN(x) || isNaN(y) ? x.localeCompare(y) : x - y
        return down ? -order : order
      })
      body.append(...rows)
    })
  })
}
const filter = document.getElementById('filter')
if (filter) {
  const select = filter.querySelector('select')
  const shown = filter.querySelector('output')
  const apply = () => {
    for (const part of document.querySelectorAll('[data-switches]')) {
      part.hidden = select.value !== '' && !part.dataset.switches.split(' ').includes(select.value)
    }
    shown.textContent = select.value === '' ? '' : 'shown: ' + select.value
  }
  select.addEventListener('change', apply)
  filter.hidden = false
  apply()
}
`

/** For the page's content security policy. */
export const scriptHash = `sha256-${createHash('sha256').update(script).digest('base64')}`
