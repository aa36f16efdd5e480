// Sorts a table by the head that is pressed.
"use strict";

function makeSortable(table) {
  const body = table.tBodies[0];
  const heads = table.tHead.rows[0].cells;
  for (const [place, head] of Array.from(heads).entries()) {
    if (head.textContent === "") continue;
    const button = document.createElement("button");
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const value = (row) => {
        const cell = row.cells[place];
        return "value" in cell.dataset ? Number(cell.dataset.value) : cell.textContent;
      };
      const missing = (one) => typeof one === "number" && Number.isNaN(one);
      const compare = (a, b) => {
        const [one, other] = [value(a), value(b)];
        if (missing(one) || missing(other)) return missing(one) - missing(other);
        const order = typeof one === "number" ? one - other : one.localeCompare(other);
        return down ? -order : order;
      };
      body.append(...Array.from(body.rows).sort(compare));
    });
  }
}

document.querySelectorAll("table.sortable").forEach(makeSortable);
