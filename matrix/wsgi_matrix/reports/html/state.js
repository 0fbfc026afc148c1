// The view is a function of the URL fragment: links preserve it, and Back undoes changes.

const FILTERS = ["q", "suite", "server", "app", "level"];
const PLACES = ["cell", "rule", "case", "compare"];
const VIEWS = new Set(["grid", "rules", "charts", "about", "cell", "rule"]);

function stateFrom(fragment) {
  const values = new URLSearchParams(fragment.replace(/^#/, ""));
  const state = { view: VIEWS.has(values.get("view")) ? values.get("view") : "grid" };
  for (const name of [...FILTERS, ...PLACES]) state[name] = values.get(name) ?? "";
  state.outcome = new Set((values.get("outcome") ?? "").split(",").filter((each) => each in MARKS));
  return state;
}

function fragmentOf(state) {
  const values = new URLSearchParams({ view: state.view });
  for (const name of [...FILTERS, ...PLACES]) if (state[name]) values.set(name, state[name]);
  if (state.outcome.size) values.set("outcome", [...state.outcome].join(","));
  return `#${values}`;
}

// A link to another view that keeps the filters.
function linkTo(state, view, places = {}) {
  const none = Object.fromEntries(PLACES.map((name) => [name, ""]));
  return fragmentOf({ ...state, ...none, ...places, view });
}

// The filters in the form.
function filtersOf(form) {
  const values = new FormData(form);
  const filters = Object.fromEntries(FILTERS.map((name) => [name, String(values.get(name)).trim()]));
  return { ...filters, outcome: new Set(values.getAll("outcome")) };
}

function fillForm(form, state) {
  for (const name of FILTERS) {
    const field = form.elements[name];
    if (field.value.trim() !== state[name]) field.value = state[name];
    if (field.selectedIndex === -1) field.value = "";
  }
  for (const box of form.elements.outcome) box.checked = state.outcome.has(box.value);
}
