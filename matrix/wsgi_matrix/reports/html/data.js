// The results: unpacked from the page, and what is asked of them. MARKS, WORST, RED, HELD, KNOWN and
// IMAGE are made by Python (html/__init__.py), which alone knows what each outcome amounts to.

async function unpack(base64) {
  const packed = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}

// Cells and checks as objects that know one another; see payload.py for what comes in.
function resultsFrom(raw) {
  const rules = raw.rules.map(([suite, id, alias, level, title, says, cite]) => ({
    key: `${suite}/${id}`, suite, id, alias, level, title, says, cite, checks: [],
  }));
  const cells = raw.cells.map((cell, index) => {
    const evidence = new Map();
    for (const [name, lines] of Object.entries(cell.evidence)) {
      evidence.set(name, lines.map(([at, on, what, octets, place]) => (
        { at, on, what, octets, data: raw.octets[place] })));
    }
    return { ...cell, index, evidence, checks: [] };
  });
  for (const cell of cells) {
    for (const [place, outcome, detail, evidence, against] of raw.cells[cell.index].checks) {
      const rule = rules[place];
      const check = { cell, rule, outcome, detail: raw.details[detail], evidence, against };
      cell.checks.push(check);
      rule.checks.push(check);
    }
  }
  const byId = new Map(cells.map((cell) => [cell.id, cell]));
  return { rules, cells, byId, servers: [...new Set(cells.map((cell) => cell.server))] };
}

function worst(checks) {
  const there = new Set(checks.map((check) => check.outcome));
  return WORST.find((outcome) => there.has(outcome)) ?? "";
}

// Whether a check is asked for by suite, server, app, level and search; outcomes are left out.
function matches(check, state) {
  const { cell, rule } = check;
  if (state.suite && rule.suite !== state.suite) return false;
  if (state.server && cell.server !== state.server) return false;
  if (state.app && cell.app !== state.app) return false;
  if (state.level && rule.level !== state.level) return false;
  if (!state.q) return true;
  check.text ??= [rule.id, rule.alias, rule.title, rule.says, rule.cite, cell.id, check.detail].join("\n").toLowerCase();
  return state.q.toLowerCase().split(/\s+/).every((word) => check.text.includes(word));
}

function wanted(outcome, state) {
  return state.outcome.size === 0 || state.outcome.has(outcome);
}

// The cell to show beside a check: what it was compared with, else the nearest where the same check
// holds. The app makes most of an answer, then the server.
function besideOf(check, results) {
  if (check.against && results.byId.has(check.against)) return check.against;
  if (!RED.includes(check.outcome) && check.outcome !== KNOWN) return "";
  const held = check.rule.checks.filter((other) => other.outcome === HELD);
  const near = ({ cell }) => (
    2 * (cell.app === check.cell.app) + (cell.server === check.cell.server));
  const nearest = held.reduce((best, other) => (near(other) > near(best) ? other : best), held[0]);
  return nearest?.cell.id ?? "";
}
