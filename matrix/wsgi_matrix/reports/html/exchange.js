// An exchange: what was sent and received, line by line, alone or beside that of another cell.

const SAID = {
  shut: "we end our side (FIN), and go on reading",
  fin: "the server ends the connection (FIN)",
  reset: "the server resets the connection (RST)",
  closed: "we close the connection",
  refused: "the port refuses connections",
  timeout: "what was waited for did not come in time",
};

function exchangeOf(check, name, results, beside, onBeside) {
  const { cell } = check;
  const own = cell.evidence.get(name);
  const box = h("section", { class: "exchange" }, h("h4", {}, "On the wire ", h("code", {}, name)));
  if (!own) {
    box.append(h("p", {}, "Its octets are not in this file; results.json may have them."));
    return box;
  }
  const others = results.cells.filter((other) => other !== cell && other.suite === cell.suite
    && other.evidence.has(name));
  const select = h("select", {},
    h("option", { value: "" }, "nothing"),
    others.map((other) => h("option", { value: other.id }, other.id)));
  select.value = others.some((other) => other.id === beside) ? beside : "";
  const asHex = h("input", { type: "checkbox" });
  const body = h("div");
  const draw = () => {
    const other = results.byId.get(select.value);
    body.replaceChildren(...sides(cell, other, name, asHex.checked ? hexOf : textOf));
  };
  select.addEventListener("change", () => { onBeside(select.value); draw(); });
  asHex.addEventListener("change", draw);
  box.append(h("p", { class: "tools" },
    h("label", {}, "Beside it: ", select), h("label", {}, asHex, " hexadecimal")), body);
  draw();
  return box;
}

function sides(cell, other, name, show) {
  const lines = cell.evidence.get(name);
  if (!other) return [talkOf(cell.id, lines, new Map(), show)];
  const otherLines = other.evidence.get(name);
  const differences = new Map();
  for (const what of ["sent", "received"]) {
    for (const on of new Set([...lines, ...otherLines].map((line) => line.on))) {
      const key = `${what} ${on}`;
      differences.set(key, difference(joined(lines, key), joined(otherLines, key)));
    }
  }
  const [here, there] = [0, 1].map((side) => (
    new Map([...differences].map(([key, both]) => [key, both[side]]))));
  return [
    h("p", { class: "said" }, toldOf(differences)),
    h("div", { class: "beside" },
      talkOf(cell.id, lines, here, show), talkOf(other.id, otherLines, there, show)),
  ];
}

function joined(lines, key) {
  return lines.filter((line) => `${line.what} ${line.on}` === key).map((line) => line.data).join("");
}

function toldOf(differences) {
  const told = [];
  for (const [key, [side, other]] of differences) {
    if (side.first >= 0 || other.first >= 0) {
      const place = Math.max(side.first, 0);
      told.push(`what was ${key.split(" ")[0]} differs first at octet ${place} (0x${hex(place, 0)})`);
    }
  }
  const text = told.join("; ");
  return text ? `${text[0].toUpperCase()}${text.slice(1)}. Marked where it differs; the value of Date is not compared.`
    : "The same octets on both sides; the value of Date is not compared.";
}

function talkOf(title, lines, differences, show) {
  const several = new Set(lines.map((line) => line.on)).size > 1;
  const list = h("ol", { class: "talk" });
  const places = new Map();
  for (const line of lines) {
    const key = `${line.what} ${line.on}`;
    const from = places.get(key) ?? 0;
    places.set(key, from + line.data.length);
    list.append(lineOf(line, several, differences.get(key), from, show));
  }
  return h("div", { class: "side" }, h("h5", {}, title), list);
}

function lineOf(line, several, side, from, show) {
  const wire = line.what === "sent" || line.what === "received";
  const arrow = { sent: "→", received: "←" }[line.what] ?? "·";
  const item = h("li", { class: wire ? line.what : "event" }, h("p", { class: "what" },
    h("span", { class: "arrow", "aria-hidden": "true" }, arrow),
    h("strong", {}, wire ? line.what : SAID[line.what] ?? line.what),
    several ? h("span", {}, `connection ${line.on}`) : "",
    wire ? h("span", {}, `${line.octets} octet${line.octets === 1 ? "" : "s"}`) : "",
    h("span", { class: "at" }, `${line.at.toFixed(3)} s`)));
  if (line.data) item.append(show(line.data, wire ? side : undefined, from));
  if (line.octets > line.data.length) {
    item.append(h("p", { class: "cut" }, `cut: ${line.data.length} of ${line.octets} octets are shown`));
  }
  return item;
}
