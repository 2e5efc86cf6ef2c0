/** The look of the HTML report: one style sheet, dark and light, no fonts or images from anywhere. */
export const style = `
:root {
  color-scheme: light dark;
  --bg: #f7f7f5; --card: #fff; --ink: #1c1e21; --soft: #5d646e; --line: #e3e3df; --code: #f1f1ee;
  --same: #b9c4b4; --announced: #4b8fb8; --differs: #d8912a; --unexplained: #c33f3a;
  --raises: #c33f3a; --value: #d8912a; --spelling: #7d8590; --state: #4b8fb8; --good: #3d7a45;
}
@media (prefers-color-scheme: dark) {
  :root {
    --bg: #15171a; --card: #1e2125; --ink: #e8e8e5; --soft: #a0a7b0; --line: #31353b; --code: #282c31;
    --same: #4b5a4d; --announced: #5fa6d2; --differs: #e0a24a; --unexplained: #e5635d;
    --raises: #e5635d; --value: #e0a24a; --spelling: #8d96a1; --state: #5fa6d2; --good: #7cc287;
  }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--bg); color: var(--ink); font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif }
main { max-width: 1060px; margin: 0 auto; padding: 36px 20px 80px }
h1 { font-size: 15px; font-weight: 600; margin: 0; color: var(--soft); letter-spacing: .02em }
h2 { font-size: 21px; margin: 48px 0 6px }
h3 { font-size: 16px; margin: 0; font-weight: 650 }
p { margin: 6px 0 } .lead { color: var(--soft); max-width: 74ch }
.verdict { font-size: 27px; line-height: 1.3; font-weight: 650; margin: 8px 0 10px; max-width: 32em; text-wrap: balance }
.facts { color: var(--soft); font-size: 14px } h1, p { overflow-wrap: anywhere }
code, pre, .mono { font: 13px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace }
code { background: var(--code); border-radius: 4px; padding: 1px 5px; overflow-wrap: anywhere }
svg { display: block; width: 100% }
.course { position: relative; margin-top: 26px } .course .top { position: absolute; top: -19px; left: 0 } .course .top, .axis { font-size: 12px; color: var(--soft) }
.axis { display: grid; grid-template-columns: repeat(4, 1fr) max-content; gap: 4px; margin-top: 3px; white-space: nowrap } .axis .end { grid-column: 5 }
.outages { display: grid; grid-template-columns: max-content 1fr; gap: 6px 12px; align-items: center; font-size: 13px; margin: 10px 0 }
.overview { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 20px 22px; margin: 22px 0 0 }
.legend { display: flex; flex-wrap: wrap; gap: 6px 26px; margin: 14px 0 0; padding: 0; list-style: none }
.legend b { font-size: 20px; font-variant-numeric: tabular-nums; margin-right: 5px } .legend small { color: var(--soft); display: block; font-size: 12.5px }
.dot { display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin-right: 7px }
.s-same { background: var(--same); fill: var(--same) } .s-announced { background: var(--announced); fill: var(--announced) }
.s-differs { background: var(--differs); fill: var(--differs) } .s-unexplained { background: var(--unexplained); fill: var(--unexplained) }
.switch { background: var(--card); border: 1px solid var(--line); border-left: 5px solid var(--spelling); border-radius: 12px; padding: 18px 22px; margin: 14px 0 }
.switch.i-raises, .switch.i-stops-raising { border-left-color: var(--raises) } .switch.i-value, .switch.i-truth { border-left-color: var(--value) }
.switch.i-state { border-left-color: var(--state) }
.switch header { display: flex; align-items: baseline; gap: 12px; flex-wrap: wrap }
.rank { color: var(--soft); font-variant-numeric: tabular-nums } .grow { flex: 1 } .number { font-size: 20px; font-weight: 650; font-variant-numeric: tabular-nums }
.advice { margin: 12px 0 2px; padding: 10px 14px; background: color-mix(in srgb, var(--good) 11%, transparent); border-radius: 8px; max-width: 90ch }
.advice b { color: var(--good) }
.sides { display: grid; grid-template-columns: 1fr 1fr; gap: 4px 24px; margin: 12px 0 4px } .sides div { min-width: 0 }
.sides span, th { color: var(--soft); font-size: 12px; font-weight: 550 }
td.name, .pair, td.name code { white-space: nowrap; overflow-wrap: normal }
th button { all: unset; cursor: pointer; color: inherit; font: inherit } th button:hover { color: var(--ink) } :focus-visible { outline: 2px solid var(--announced); outline-offset: 2px }
th[aria-sort=descending] button::after { content: " \\2193" } th[aria-sort=ascending] button::after { content: " \\2191" }
#filter { margin: 10px 0; color: var(--soft) } #filter select { font: inherit; color: var(--ink); background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 4px 8px; max-width: 100% }
pre { background: var(--code); border-radius: 8px; padding: 10px 14px; margin: 6px 0; overflow-x: auto }
.snippet { margin: 6px 0 0 }
.load { display: grid; grid-template-columns: 5.5em 1fr 4.5em; gap: 10px; align-items: center; font-size: 13px; max-width: 640px } .load .n { text-align: right; font-variant-numeric: tabular-nums } .load:nth-child(even) { margin-bottom: 8px }
[hidden] { display: none !important }
.chips { display: flex; flex-wrap: wrap; gap: 6px; margin: 10px 0 0 }
.chip { border: 1px solid var(--line); border-radius: 99px; padding: 0 10px; font-size: 12.5px; line-height: 22px; color: var(--soft) }
.chip b { color: var(--ink); font-variant-numeric: tabular-nums } .c-raises b, .c-stops-raising b { color: var(--raises) } .c-value b, .c-truth b { color: var(--value) } .c-state b { color: var(--state) }
details { margin: 12px 0 0; overflow-x: auto } summary { cursor: pointer; color: var(--soft); font-size: 13.5px } summary:hover { color: var(--ink) }
.example { border-top: 1px solid var(--line); padding: 10px 0 4px; margin-top: 12px }
.example .where { color: var(--soft); font-size: 12.5px; overflow-wrap: anywhere } .example .call { margin: 4px 0; overflow-wrap: anywhere }
.outcomes { display: grid; margin: 0; grid-template-columns: max-content 1fr; gap: 2px 14px; font-size: 13px } .outcomes dt { color: var(--soft) } .outcomes dd { margin: 0; overflow-wrap: anywhere }
.raise { color: var(--raises) }
.scroll { overflow-x: auto } table { border-collapse: collapse; width: 100%; margin-top: 10px; font-size: 14px }
th { text-align: left; padding: 6px 12px 6px 0; border-bottom: 1px solid var(--line) } td { padding: 6px 12px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: break-word }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap } td.bar { width: 30%; min-width: 120px; vertical-align: middle }
table.glance { margin: 14px 0 22px } table.glance td { vertical-align: middle } table.glance td.bar { width: 22% }
.f-raises, .f-stops-raising { fill: var(--raises) } .f-value, .f-truth { fill: var(--value) } .f-spelling { fill: var(--spelling) } .f-state { fill: var(--state) }
.quiet { color: var(--soft) } .good { color: var(--good) } .bad { color: var(--raises) }
footer { margin-top: 56px; color: var(--soft); font-size: 13px; border-top: 1px solid var(--line); padding-top: 14px }
a { color: inherit }
@media (max-width: 640px) {
  main { padding: 20px 14px 60px } .verdict { font-size: 19px } .overview { padding: 14px } .switch { padding: 14px }
  .sides { grid-template-columns: 1fr } .outcomes { grid-template-columns: 1fr } .outcomes dd { margin-bottom: 4px }
  table.glance td:nth-child(4), table.glance th:nth-child(4), td.bar, th:last-child:empty { display: none }
  .axis { grid-template-columns: repeat(2, 1fr) max-content } .axis .mid { display: none } .axis .end { grid-column: 3 }
  table { font-size: 13.5px }
  :is(.uses, .methods), :is(.uses, .methods) :is(thead, tbody, td, th) { display: block } :is(.uses, .methods) :is(td, th) { border: 0 }
  :is(.uses, .methods) td { min-width: 0 } .uses td:nth-child(5) { white-space: normal }
  :is(.uses, .methods) tr { display: grid; grid-template-columns: 1fr 5.8em 4.2em 7.4em; border-bottom: 1px solid var(--line) }
  .uses :is(td, th):nth-child(2), .uses th:last-child, .methods th:nth-child(2), .methods :is(td, th):last-child { display: none }
  .uses td:last-child, .methods td:nth-child(2) { order: 1; grid-column: 1 / -1; padding-top: 0 }
  .switch header { gap: 4px 10px } .switch header .grow { display: none } .switch header h3 { flex: 1 1 70% } th, td { padding-right: 8px } .scroll { contain: paint }
}
@media print { body { background: #fff } details > * { display: block } }
`
