"use strict";
(() => {
  const empty = (text) => text === "" || text === "\u2013";
  const keyOf = (row, at, isNumber) => {
    const cell = row.cells[at];
    if (!isNumber) {
      const text = cell.textContent.trim();
      return empty(text) ? null : text;
    }
    return "v" in cell.dataset ? Number(cell.dataset.v) : null;
  };
  const compare = (a, b, isNumber) =>
    isNumber ? a - b : a.localeCompare(b, "en", { numeric: true });
  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0];
    const first = [...body.rows];
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, at) => {
      head.querySelector("button").addEventListener("click", () => {
        const isNumber = head.dataset.kind === "number";
        const before = head.getAttribute("aria-sort");
        const after = { ascending: "descending", descending: null }[before];
        const order = after === undefined ? "ascending" : after;
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        let rows = first;
        if (order !== null) {
          head.setAttribute("aria-sort", order);
          const sign = order === "ascending" ? 1 : -1;
          const keyed = first.map((row) => [keyOf(row, at, isNumber), row]);
          const full = keyed.filter(([key]) => key !== null);
          full.sort(([a], [b]) => sign * compare(a, b, isNumber));
          rows = [...full, ...keyed.filter(([key]) => key === null)].map(([, row]) => row);
        }
        body.append(...rows);
      });
    });
  }
})();
