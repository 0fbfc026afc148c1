// Shows what the fragment says, whenever it changes.

const form = document.getElementById("filters");
const main = document.getElementById("results");
const told = document.getElementById("told");
const cases = document.getElementById("cases");
let results;
let state = stateFrom(location.hash);

function show(focus) {
  fillForm(form, state);
  for (const section of main.querySelectorAll("[data-show]")) {
    section.hidden = !section.dataset.show.split(" ").includes(state.view);
  }
  const tab = { cell: "grid", rule: "rules" }[state.view] ?? state.view;
  for (const link of document.querySelectorAll("nav a")) {
    link.href = linkTo(state, link.dataset.view);
    if (link.dataset.view === tab) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  form.hidden = state.view === "charts" || state.view === "about";
  const grid = main.querySelector('[data-show="grid"]');
  if (state.view === "grid") {
    const left = applyToGrid(grid, state, results);
    told.textContent = `${left} of ${results.cells.length} cells are shown`;
  } else if (state.view === "rules") {
    document.getElementById("rules").replaceChildren(...rulesView(state, results));
    told.textContent = `${main.querySelectorAll("#rules tbody tr").length} rules are shown`;
  } else if (state.view === "cell" || state.view === "rule") {
    cases.replaceChildren(...casesView(state, results, change).filter(Boolean));
    told.textContent = `${cases.querySelectorAll("details.case").length} cases are shown`;
  }
  for (const table of main.querySelectorAll("[data-show]:not([hidden]) table.roving")) rove(table);
  if (!focus) return;
  const opened = state.case ? cases.querySelector("details[open] > summary") : null;
  const head = opened ?? main.querySelector("[data-show]:not([hidden]) h2[tabindex]");
  if (head) head.focus();
  else main.focus({ preventScroll: true });
  opened?.scrollIntoView({ block: "start" });
}

// The address follows without a new entry in the history, and without drawing anew.
function change(values) {
  Object.assign(state, values);
  history.replaceState(null, "", fragmentOf(state));
}

let waiting;
function filter() {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    change({ ...filtersOf(form), case: "", beside: "" });
    show(false);
  }, 80);
}

for (const event of ["input", "change"]) form.addEventListener(event, filter);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(filter));
document.getElementById("copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(location.href);
    told.textContent = "The link is copied";
  } catch {
    told.textContent = "The link is what the address bar shows";
  }
});
window.addEventListener("hashchange", () => {
  if (location.hash === "#results") { // the link that skips to them
    change({});
    main.focus();
    return;
  }
  state = stateFrom(location.hash);
  show(true);
});

results = resultsFrom(await unpack(document.getElementById("payload").textContent));
show(Boolean(location.hash));
main.setAttribute("aria-busy", "false");
