// The two tables: servers × apps (made by Python; filters are applied here) and rules × servers.

function applyToGrid(root, state, results) {
  let left = 0;
  for (const square of root.querySelectorAll("a.square[data-index]")) {
    const cell = results.cells[Number(square.dataset.index)];
    const checks = cell.checks.filter((check) => matches(check, state));
    const outcome = worst(checks);
    square.hidden = !outcome || !wanted(outcome, state);
    if (square.hidden) continue;
    left += 1;
    square.className = `square o-${outcome}`;
    square.querySelector(".mark").textContent = MARKS[outcome];
    square.querySelector(".word").textContent = outcome;
    const same = checks.filter((check) => check.outcome === outcome).length;
    square.querySelector(".count").textContent = RED.includes(outcome) ? `${same} of ${checks.length}` : "";
    square.href = linkTo(state, "cell", { cell: cell.id });
  }
  for (const row of root.querySelectorAll("table.grid tbody tr")) {
    row.hidden = !row.querySelector("a.square:not([hidden])");
  }
  for (const table of root.querySelectorAll("table.grid")) hideColumns(table);
  for (const section of root.querySelectorAll(".suite")) {
    section.hidden = !section.querySelector("tbody tr:not([hidden])");
  }
  root.querySelector(".none").hidden = left > 0;
  return left;
}

function hideColumns(table) {
  for (const head of table.tHead.querySelectorAll("th")) {
    const column = [...table.tBodies[0].rows].map((row) => row.cells[head.cellIndex]);
    const empty = !column.some((square) => square.querySelector("a.square:not([hidden])"));
    for (const each of [head, ...column]) each.hidden = empty;
  }
}

// Checks of the same rule of a suite, whose texts may vary between cells.
function rulesBySuite(state, results) {
  const suites = new Map();
  for (const rule of results.rules) {
    const checks = rule.checks.filter((check) => matches(check, state));
    if (!checks.length) continue;
    if (!suites.has(rule.suite)) suites.set(rule.suite, new Map());
    const rows = suites.get(rule.suite);
    if (!rows.has(rule.id)) rows.set(rule.id, { rule, checks: [] });
    rows.get(rule.id).checks.push(...checks);
  }
  return suites;
}

function rulesView(state, results) {
  const parts = [];
  for (const [suite, rows] of rulesBySuite(state, results)) {
    const servers = results.servers.filter((server) => [...rows.values()].some(({ checks }) => (
      checks.some((check) => check.cell.server === server))));
    const lines = [...rows.values()].map((row) => ruleRow(row, servers, state)).filter(Boolean);
    if (!lines.length) continue;
    parts.push(h("section", { class: "suite" },
      h("h3", {}, `${suite} `, h("small", {}, `${lines.length} rule${lines.length === 1 ? "" : "s"}`)),
      h("div", { class: "scroll", tabindex: "-1" },
        h("table", { class: "rules roving", "aria-label": `${suite}: rules as rows, servers as columns` },
          h("thead", {}, h("tr", {}, h("td", {}), servers.map((server) => (
            h("th", { scope: "col" }, h("span", {}, server)))))),
          h("tbody", {}, lines)))));
  }
  return parts.length ? parts : [h("p", { class: "none" }, "Nothing matches these filters.")];
}

function ruleRow({ rule, checks }, servers, state) {
  const squares = servers.map((server) => {
    const mine = checks.filter((check) => check.cell.server === server);
    return { server, outcome: worst(mine) };
  });
  if (!squares.some(({ outcome }) => outcome && wanted(outcome, state))) return null;
  return h("tr", {},
    h("th", { scope: "row" }, h("a", { href: linkTo(state, "rule", { rule: rule.key }), "data-head": true },
      h("code", {}, rule.id), rule.alias ? ` (${rule.alias})` : "", " ",
      h("span", { class: "level" }, rule.level)),
    h("span", { class: "says" }, rule.title || rule.says), rule.cite ? h("cite", {}, rule.cite) : ""),
    squares.map(({ server, outcome }) => h("td", {}, outcome && wanted(outcome, state)
      ? h("a", {
        class: `square o-${outcome}`,
        href: linkTo({ ...state, server }, "rule", { rule: rule.key }),
        "aria-label": `${rule.id}, ${server}: ${outcome}`,
        title: `${server}: ${outcome}`,
      }, markOf(outcome)) : "")));
}

// One stop of the Tab key for a table; arrows, Home and End move within it.
function rove(table) {
  const rows = [...table.tBodies[0].rows].filter((row) => !row.hidden)
    .map((row) => [...row.querySelectorAll("a")].filter((link) => !link.hidden))
    .filter((row) => row.length);
  const all = rows.flat();
  const current = all.find((link) => link === document.activeElement) ?? all[0];
  for (const link of all) link.tabIndex = link === current ? 0 : -1;
  table.onkeydown = (event) => {
    const row = rows.findIndex((links) => links.includes(event.target));
    if (row < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
    const column = rows[row].indexOf(event.target);
    const next = {
      ArrowRight: () => rows[row][column + 1],
      ArrowLeft: () => rows[row][column - 1],
      ArrowDown: () => below(rows[row + 1], event.target, column),
      ArrowUp: () => below(rows[row - 1], event.target, column),
      Home: () => rows[row][0],
      End: () => rows[row].at(-1),
    }[event.key]?.();
    if (!next) return;
    event.preventDefault();
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  };
}

// The link of a row in the same column of the table, else the nearest before it.
function below(links, from, fallback) {
  if (!links) return undefined;
  const column = from.closest("td, th").cellIndex;
  return links.find((link) => link.closest("td, th").cellIndex === column)
    ?? links[Math.min(fallback, links.length - 1)];
}
