// Cases one by one: those of a cell, or those of a rule in every cell.

function casesView(state, results, change) {
  return state.view === "cell" ? cellView(state, results, change) : ruleView(state, results, change);
}

function cellView(state, results, change) {
  const cell = results.byId.get(state.cell);
  if (!cell) return [missing(state, "cell", state.cell)];
  const checks = cell.checks.filter((check) => (
    matches(check, { ...state, suite: "", server: "", app: "" })));
  const back = h("a", { href: linkTo(state, "grid") }, "← By server and app");
  return [
    h("p", { class: "back" }, back),
    h("h2", { tabindex: "-1" }, badge(cell.outcome), " ", cell.id),
    facts(cell),
    ...listed(checks, state, results, change, (check) => check.rule.id, (check) => check.rule.id),
    cell.log ? h("details", { class: "log" }, h("summary", {}, "End of the server's log"),
      h("pre", {}, cell.log)) : "",
  ];
}

function ruleView(state, results, change) {
  const rule = results.rules.find((each) => each.key === state.rule);
  if (!rule) return [missing(state, "rule", state.rule)];
  const checks = results.rules.filter((each) => each.key === state.rule)
    .flatMap((each) => each.checks)
    .filter((check) => matches(check, { ...state, q: "", level: "" }));
  return [
    h("p", { class: "back" }, h("a", { href: linkTo(state, "rules") }, "← By rule")),
    h("h2", { tabindex: "-1" }, rule.id, rule.alias ? ` (${rule.alias})` : ""),
    ruleText(rule),
    ...listed(checks, state, results, change, (check) => check.cell.id, (check) => check.cell.id),
  ];
}

function missing(state, what, name) {
  return h("div", {}, h("h2", { tabindex: "-1" }, `This run has no such ${what}`),
    h("p", {}, h("code", {}, name), " was not found. ",
      h("a", { href: linkTo(state, "grid") }, "All cells")));
}

function badge(outcome) {
  return h("span", { class: `badge o-${outcome}` }, markOf(outcome), ` ${outcome}`);
}

function ruleText(rule) {
  return h("p", { class: "rule" }, h("span", { class: "level" }, rule.level), " ",
    rule.title ? h("strong", {}, rule.title, ". ") : "",
    rule.says || "(no description was saved for this check)",
    rule.cite ? h("cite", {}, rule.cite) : h("cite", {}, "wsgi-matrix"));
}

function facts(cell) {
  const { limits, limits_observed: observed, image } = cell;
  const limit = (name) => limits[name] && `${name} ${limits[name]}`
    + (observed?.[name] ? ` (read back: ${observed[name]})` : "");
  const rows = [
    ["Server", cell.server], ["App", `${cell.app} ${cell.framework_version}`.trim()],
    ["Python", cell.python],
    ["Limits", [limits.name, limit("nofile"), limit("nproc"), limit("memory")].filter(Boolean).join(", ")],
    ["Time", `${cell.seconds.toFixed(2)} s`],
    ["Ready after", cell.ready_seconds ? `${cell.ready_seconds.toFixed(2)} s` : ""],
    ["Memory", cell.memory ? `${(cell.memory / 2 ** 20).toFixed(1)} MiB` : ""],
    ["Reused from run", cell.reused ?? ""],
    [IMAGE, image ? image.id.slice(0, 19) : ""],
  ];
  return h("dl", { class: "facts" }, rows.filter(([, value]) => value)
    .map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

function listed(checks, state, results, change, nameOf, keyOf) {
  const shown = checks.filter((check) => wanted(check.outcome, state) || keyOf(check) === state.case);
  if (!shown.length) return [h("p", { class: "none" }, "No case matches these filters.")];
  return WORST.flatMap((outcome) => {
    const some = shown.filter((check) => check.outcome === outcome);
    if (!some.length) return [];
    return [
      h("h3", { class: "group" }, badge(outcome), ` ${some.length}`),
      h("div", { class: "cases" }, some.map((check) => (
        caseOf(check, state, results, change, nameOf(check), keyOf(check), shown.length === 1)))),
    ];
  });
}

function caseOf(check, state, results, change, name, key, alone) {
  const { rule } = check;
  const first = check.detail.split("\n", 1)[0];
  const details = h("details", { "data-case": key, class: `case o-${check.outcome}` },
    h("summary", {}, markOf(check.outcome), h("span", { class: "hidden" }, check.outcome),
      h("strong", {}, name), h("span", { class: "level" }, rule.level),
      h("span", { class: "gist" },
        RED.includes(check.outcome) ? first : rule.title || rule.says || first)));
  const fill = () => {
    if (details.childElementCount > 1) return;
    const other = state.case === key && state.compare ? state.compare : comparisonFor(check, results);
    details.append(h("div", { class: "body" },
      state.view === "cell" ? ruleText(rule) : "",
      check.detail ? h("pre", { class: "detail" }, check.detail) : "",
      check.evidence.map((each) => exchangeOf(check, each, results, other,
        (id) => change({ case: key, compare: id }))),
      h("p", { class: "more" }, state.view === "cell"
        ? h("a", { href: linkTo(state, "rule", { rule: rule.key }) }, "This rule in every cell")
        : h("a", { href: linkTo(state, "cell", { cell: check.cell.id, case: rule.id }) }, "All cases of this cell"))));
  };
  if (alone || state.case === key) {
    details.open = true;
    fill();
  }
  details.addEventListener("toggle", () => {
    if (details.open) fill();
    if (details.open && details.contains(document.activeElement)) change({ case: key });
  });
  return details;
}
