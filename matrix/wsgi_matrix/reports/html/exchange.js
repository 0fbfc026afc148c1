// An exchange: what was sent and received, line by line, alone or next to that of another cell.

const SAID = {
  shut: "the client closes its side (FIN) and continues to read",
  fin: "the server closes the connection (FIN)",
  reset: "the server resets the connection (RST)",
  closed: "the client closes the connection",
  refused: "the port refuses connections",
  timeout: "the expected data did not arrive in time",
};

function exchangeOf(check, name, results, selected, onSelect) {
  const { cell } = check;
  const own = cell.evidence.get(name);
  const box = h("section", { class: "exchange" }, h("h4", {}, "On the wire ", h("code", {}, name)));
  if (!own) {
    box.append(h("p", {}, "Its octets are not in this file, but may be in results.json."));
    return box;
  }
  const others = results.cells.filter((other) => other !== cell && other.suite === cell.suite
    && other.evidence.has(name));
  const select = h("select", {},
    h("option", { value: "" }, "nothing"),
    others.map((other) => h("option", { value: other.id }, other.id)));
  select.value = others.some((other) => other.id === selected) ? selected : "";
  const asHex = h("input", { type: "checkbox" });
  const body = h("div");
  const draw = () => {
    const other = results.byId.get(select.value);
    body.replaceChildren(...sides(cell, other, name, asHex.checked ? hexOf : textOf));
  };
  select.addEventListener("change", () => { onSelect(select.value); draw(); });
  asHex.addEventListener("change", draw);
  box.append(h("p", { class: "tools" },
    h("label", {}, "Compare with: ", select), h("label", {}, asHex, " hexadecimal")), body);
  draw();
  return box;
}

function sides(cell, other, name, show) {
  const lines = cell.evidence.get(name);
  if (!other) return [transcriptOf(cell.id, lines, new Map(), show)];
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
    h("p", { class: "note" }, differencesText(differences)),
    h("div", { class: "sides" },
      transcriptOf(cell.id, lines, here, show), transcriptOf(other.id, otherLines, there, show)),
  ];
}

function joined(lines, key) {
  return lines.filter((line) => `${line.what} ${line.on}` === key).map((line) => line.data).join("");
}

function differencesText(differences) {
  const parts = [];
  for (const [key, [side, other]] of differences) {
    if (side.first >= 0 || other.first >= 0) {
      const place = Math.max(side.first, 0);
      parts.push(`${key.split(" ")[0]} octets first differ at ${place} (0x${hex(place, 0)})`);
    }
  }
  const text = parts.join("; ");
  return text ? `${text[0].toUpperCase()}${text.slice(1)}. Differences are marked; the value of Date is not compared.`
    : "Both sides have the same octets; the value of Date is not compared.";
}

function transcriptOf(title, lines, differences, show) {
  const several = new Set(lines.map((line) => line.on)).size > 1;
  const list = h("ol", { class: "transcript" });
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
