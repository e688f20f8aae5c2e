// The page around the votes: what a reader clicks, and what changes then. The state stands in the address, so that a
// link shows the same situation: #m=00110&lies=1,4&missing=2
addEventListener("DOMContentLoaded", () => {
  const root = document.getElementById("play");
  const { n, k, rule, rows, worst, radius } = root.dataset;
  const code = {
    k: Number(k),
    ties: rule,
    // A row is a hexadecimal number, its last bit partition 0.
    rows: rows.split(" ").map((text) => {
      const bits = [...text].reverse().map((digit) => parseInt(digit, 16));
      return Array.from({ length: Number(k) }, (_, i) => i).filter((i) => (bits[i >> 2] ?? 0) >> (i & 3) & 1);
    }),
  };
  const holds = code.rows.map((row) => new Set(row));
  const known = radius === undefined ? null : Number(radius);
  const state = { message: Array(code.k).fill(0), roles: Array(Number(n)).fill("honest") };
  const find = (name) => document.getElementById(name);
  const make = (tag, attributes, ...children) => {
    const element = document.createElement(tag);
    Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
    element.append(...children);
    return element;
  };
  const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

  // The table: a row of bits to flip, then a row a worker.
  const bits = state.message.map((_, i) => make("button", { type: "button", "aria-label": `Partition ${i}`, tabindex: i ? -1 : 0 }));
  const column = (title) => make("th", { scope: "col" }, title);
  const head = make("tr", {}, column("worker"), column("sends"), ...bits.map(column), column("sees"), column("what it does"));
  const lines = code.rows.map((row, j) => {
    const cells = state.message.map((_, i) => make("td", holds[j].has(i) ? { class: "held" } : {}));
    const role = make("select", { "aria-label": `Worker ${j}` },
      ...[["honest", "is honest"], ["lies", "lies"], ["missing", "is missing"]].map(([value, text]) => make("option", { value }, text)));
    const [sees, sends] = [make("td", {}), make("td", { class: "sends" })];
    const line = make("tr", {}, make("th", { scope: "row" }, String(j)), sends, ...cells, sees, make("td", {}, role));
    role.addEventListener("change", () => { state.roles[j] = role.value; show(); });
    return { line, cells, role, sees, sends, row };
  });
  find("votes").append(make("thead", {}, head), make("tbody", {}, ...lines.map(({ line }) => line)));

  // One stop of the tabulator for all bits; arrows go from one to the next.
  bits.forEach((bit, i) => {
    bit.addEventListener("click", () => { state.message[i] = 1 - state.message[i]; focusBit(i); show(); });
    bit.addEventListener("keydown", (event) => {
      const to = { ArrowLeft: i - 1, ArrowRight: i + 1, Home: 0, End: code.k - 1 }[event.key];
      if (to === undefined || to < 0 || to >= code.k) return;
      event.preventDefault();
      focusBit(to);
    });
  });
  function focusBit(to) {
    bits.forEach((bit, i) => { bit.tabIndex = i === to ? 0 : -1; });
    bits[to].focus();
  }

  /** Draws the state, and writes it into the address. */
  function show() {
    const round = vote(code, state.message, state.roles);
    const ones = state.message.filter(Boolean).length;
    bits.forEach((bit, i) => {
      bit.textContent = state.message[i];
      bit.setAttribute("aria-pressed", String(Boolean(state.message[i])));
    });
    lines.forEach(({ line, cells, role, sees, sends, row }, j) => {
      cells.forEach((cell, i) => {
        cell.textContent = holds[j].has(i) ? state.message[i] : "";
        cell.classList.toggle("one", holds[j].has(i) && state.message[i] === 1);
      });
      role.value = state.roles[j];
      sees.textContent = `${row.filter((i) => state.message[i]).length} of ${row.length}`;
      const wrong = round.sent[j] !== null && round.sent[j] !== round.correct;
      const why = { honest: wrong ? " wrong" : "", lies: " lie", missing: "" }[state.roles[j]];
      sends.textContent = round.sent[j] === null ? (state.roles[j] === "missing" ? "missing" : "nothing") : round.sent[j] + why;
      line.classList.toggle("wrong", wrong);
      line.classList.toggle("silent", round.sent[j] === null);
    });
    const lie = state.roles.filter((role) => role === "lies").length;
    const miss = state.roles.filter((role) => role === "missing").length;
    const right = round.decoded === round.correct;
    const used = 2 * lie + miss;
    find("answer").textContent = right ? `decoded right: ${round.decoded}` : `decoded wrong: ${round.decoded} instead of ${round.correct}`;
    find("answer").classList.toggle("bad", !right);
    find("tally").textContent =
      `${plural(ones, "one")} in the message of ${code.k}: the majority is ${round.correct}. ` +
      `The server receives ${round.ones} × 1 and ${round.zeros} × 0${round.ones === round.zeros ? ", a tie, which is decoded as 0" : ""}.`;
    find("bound").textContent =
      `${plural(lie, "worker")} ${lie === 1 ? "lies" : "lie"}, ${plural(miss, "vote")} ${miss === 1 ? "is" : "are"} missing: 2 × ${lie} + ${miss} = ${used}. ` +
      `This message withstands ${round.allowance < 0 ? "nothing: it is decoded wrong when all are honest" : `up to ${round.allowance}`}. ` +
      (known === null ? "" : used <= 2 * known
        ? `The code withstands up to ${2 * known} on every message: what you see is within the proof.`
        : `The code withstands up to ${2 * known} on every message: this is beyond the proof.`);
    const bar = find("bar");
    bar.replaceChildren(...[...round.sent].sort((a, b) => (b ?? -1) - (a ?? -1))
      .map((bit) => make("span", { class: bit === null ? "none" : bit === round.correct ? "right" : "bad" }, bit === null ? "–" : String(bit))));
    const list = (role) => state.roles.flatMap((each, j) => (each === role ? [j] : [])).join(",");
    const parts = [`m=${state.message.join("")}`, ...["lies", "missing"].filter(list).map((role) => `${role}=${list(role)}`)];
    history.replaceState(null, "", `#${parts.join("&")}`);
  }

  /** Takes over what an address says; what it cannot mean is left alone. */
  function read(address) {
    const said = new URLSearchParams(address.replace(/^#/, ""));
    const message = said.get("m") ?? "";
    if (message.length === code.k && /^[01]*$/.test(message)) state.message = [...message].map(Number);
    state.roles.fill("honest");
    for (const role of ["lies", "missing"]) {
      for (const j of (said.get(role) ?? "").split(",").filter(Boolean).map(Number)) {
        if (Number.isInteger(j) && j >= 0 && j < state.roles.length) state.roles[j] = role;
      }
    }
  }

  const count = (name) => Math.max(0, Math.min(state.roles.length, Math.trunc(Number(find(name).value)) || 0));
  const buttons = {
    "worst-message": () => { state.message = [...worst].map(Number); },
    "worst-workers": () => { state.roles = worstRoles(code, state.message, count("liars"), count("missing")); },
    "random-message": () => { state.message = state.message.map(() => Number(Math.random() < 0.5)); },
    "flip": () => { state.message = state.message.map((bit) => 1 - bit); },
    "all-honest": () => { state.roles.fill("honest"); },
  };
  Object.entries(buttons).forEach(([name, act]) => find(name)?.addEventListener("click", () => { act(); show(); }));
  addEventListener("hashchange", () => { read(location.hash); show(); });
  if (worst) state.message = [...worst].map(Number);
  if (location.hash) read(location.hash);
  root.hidden = false;
  show();
});
