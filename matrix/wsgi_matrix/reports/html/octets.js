// Octets: strings with a character for each (U+0000 to U+00FF), shown as text or in hexadecimal,
// and compared line by line.

const MOST_LINES = 600;
const ESCAPES = { "\n": "\\n\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\" };

function linesOf(octets) {
  const lines = octets.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  let start = 0;
  return lines.map((text) => {
    const line = { text, start, key: /^date:/i.test(text) ? "date:" : text };
    start += text.length;
    return line;
  });
}

// Longest common subsequence of lines; the value of Date always differs and is not compared.
function matchedLines(here, there) {
  const wide = there.length + 1;
  const longest = new Uint16Array((here.length + 1) * wide);
  for (let i = here.length - 1; i >= 0; i -= 1) {
    for (let j = there.length - 1; j >= 0; j -= 1) {
      longest[i * wide + j] = here[i].key === there[j].key
        ? longest[(i + 1) * wide + j + 1] + 1
        : Math.max(longest[(i + 1) * wide + j], longest[i * wide + j + 1]);
    }
  }
  const pairs = [];
  for (let i = 0, j = 0; i < here.length && j < there.length;) {
    if (here[i].key === there[j].key) pairs.push([i++, j++]);
    else if (longest[(i + 1) * wide + j] >= longest[i * wide + j + 1]) i += 1;
    else j += 1;
  }
  return pairs;
}

// The difference of two strings of octets: for each side the marked octets, the positions where it
// lacks something, and the first octet that differs (-1: none).
function difference(here, there) {
  const sides = [here, there].map((octets) => (
    { octets, lines: linesOf(octets), marked: new Uint8Array(octets.length), gaps: new Set() }));
  const [a, b] = sides;
  const small = a.lines.length <= MOST_LINES && b.lines.length <= MOST_LINES;
  const pairs = small ? matchedLines(a.lines, b.lines) : [];
  let [i, j] = [0, 0];
  for (const [nextI, nextJ] of [...pairs, [a.lines.length, b.lines.length]]) {
    markHunk(a, i, nextI, b, j, nextJ);
    [i, j] = [nextI + 1, nextJ + 1];
  }
  for (const side of sides) {
    const places = [side.marked.indexOf(1), ...side.gaps].filter((place) => place >= 0);
    side.first = places.length ? Math.min(...places) : -1;
  }
  return sides;
}

function markHunk(a, i, endI, b, j, endJ) {
  for (; i < endI && j < endJ; i += 1, j += 1) markPair(a, a.lines[i], b, b.lines[j]);
  for (const [side, other, from, to, at] of [[a, b, i, endI, j], [b, a, j, endJ, i]]) {
    for (const line of side.lines.slice(from, to)) {
      side.marked.fill(1, line.start, line.start + line.text.length);
    }
    if (from < to) other.gaps.add(other.lines[at]?.start ?? other.octets.length);
  }
}

function markPair(a, here, b, there) {
  const [x, y] = [here.text, there.text];
  const least = Math.min(x.length, y.length);
  let before = 0;
  while (before < least && x[before] === y[before]) before += 1;
  let after = 0;
  while (after < least - before && x.at(-1 - after) === y.at(-1 - after)) after += 1;
  for (const [side, line] of [[a, here], [b, there]]) {
    const [from, to] = [line.start + before, line.start + line.text.length - after];
    if (from < to) side.marked.fill(1, from, to);
    else side.gaps.add(from);
  }
}

// The pieces in which octets are shown: the text, and whether it is an escape for an octet.
function* pieces(octets) {
  for (let place = 0; place < octets.length; place += 1) {
    const octet = octets[place];
    if (octet in ESCAPES) yield [place, ESCAPES[octet], true];
    else if (octet >= " " && octet <= "~") yield [place, octet, false];
    else yield [place, `\\x${hex(octet.charCodeAt(0), 2)}`, true];
  }
}

function hex(number, digits) {
  return number.toString(16).padStart(digits, "0");
}

// A <pre> of octets. `from`: position of the first octet in `side` (of a difference).
function textOf(octets, side, from) {
  const pre = h("pre", { class: "octets" });
  let run = { text: "" };
  for (const [place, written, stands] of pieces(octets)) {
    const marked = Boolean(side?.marked[from + place]);
    const lacking = side?.gaps.has(from + place);
    if (lacking || run.stands !== stands || run.marked !== marked) {
      if (run.text) pre.append(runOf(run));
      if (lacking) pre.append(gap());
      run = { text: "", stands, marked };
    }
    run.text += written;
  }
  if (run.text) pre.append(runOf(run));
  if (side?.gaps.has(from + octets.length) && from + octets.length === side.octets.length) {
    pre.append(gap());
  }
  return pre;
}

function runOf({ text, stands, marked }) {
  const node = stands ? h("span", { class: "stands" }, text) : document.createTextNode(text);
  return marked ? h("mark", {}, node) : node;
}

function gap() {
  return h("mark", { class: "gap", title: "the other side has something here" }, "⋯");
}

// The same in hexadecimal, sixteen octets per row.
function hexOf(octets, side, from) {
  const pre = h("pre", { class: "octets" });
  for (let row = 0; row < octets.length; row += 16) {
    pre.append(h("span", { class: "stands" }, `${hex(from + row, 6)}  `));
    const codes = [...octets.slice(row, row + 16)];
    codes.forEach((octet, place) => {
      const text = hex(octet.charCodeAt(0), 2);
      pre.append(side?.marked[from + row + place] ? h("mark", {}, text) : text, " ");
    });
    pre.append("   ".repeat(16 - codes.length), " ");
    codes.forEach((octet, place) => {
      const text = octet >= " " && octet <= "~" ? octet : "·";
      pre.append(side?.marked[from + row + place] ? h("mark", {}, text) : text);
    });
    pre.append("\n");
  }
  return pre;
}

// An element; strings always become text nodes, whatever they contain.
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value !== null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== "" && child !== null));
  return element;
}

function markOf(outcome) {
  return h("span", { class: "mark", "aria-hidden": "true" }, MARKS[outcome]);
}
