// Shows the view that the fragment describes, whenever it changes.

const form = document.getElementById("filters");
const main = document.getElementById("results");
const status = document.getElementById("status");
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
    status.textContent = `${left} of ${results.cells.length} cells shown`;
  } else if (state.view === "rules") {
    document.getElementById("rules").replaceChildren(...rulesView(state, results));
    status.textContent = `${main.querySelectorAll("#rules tbody tr").length} rules shown`;
  } else if (state.view === "cell" || state.view === "rule") {
    cases.replaceChildren(...casesView(state, results, change).filter(Boolean));
    status.textContent = `${cases.querySelectorAll("details.case").length} cases shown`;
  }
  for (const table of main.querySelectorAll("[data-show]:not([hidden]) table.roving")) rove(table);
  if (!focus) return;
  const opened = state.case ? cases.querySelector("details[open] > summary") : null;
  const head = opened ?? main.querySelector("[data-show]:not([hidden]) h2[tabindex]");
  if (head) head.focus();
  else main.focus({ preventScroll: true });
  opened?.scrollIntoView({ block: "start" });
}

// Changes the address without a new history entry and without redrawing.
function change(values) {
  Object.assign(state, values);
  history.replaceState(null, "", fragmentOf(state));
}

let waiting;
function filter() {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    change({ ...filtersOf(form), case: "", compare: "" });
    show(false);
  }, 80);
}

for (const event of ["input", "change"]) form.addEventListener(event, filter);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(filter));
document.getElementById("copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(location.href);
    status.textContent = "Link copied";
  } catch {
    status.textContent = "Copy the link from the address bar";
  }
});
window.addEventListener("hashchange", () => {
  if (location.hash === "#results") { // the skip link
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
