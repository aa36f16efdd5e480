// A page is read without this script: it draws figures that can be pointed at, lets one choose whose,
// and sorts tables by the head that is pressed.
"use strict";

function draw(place) {
  const data = place.querySelector("script");
  if (data === null) return;
  data.remove();
  place.style.minHeight = "";
  Bokeh.embed.embed_item(JSON.parse(data.textContent), place);
}

const seen = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      seen.unobserve(entry.target);
      draw(entry.target);
    }
  },
  { rootMargin: "600px" },
);

for (const place of document.querySelectorAll(".plot")) seen.observe(place);
window.addEventListener("beforeprint", () => document.querySelectorAll(".plot").forEach(draw));

for (const choices of document.querySelectorAll(".choices")) {
  const panels = [choices.querySelector(".panels"), ...choices.querySelectorAll("template")];
  const select = choices.querySelector("select");
  choices.querySelector(".picker").hidden = false;
  choices.querySelector(".chosen").remove();
  let shown = panels[0];
  select.addEventListener("change", () => {
    const place = select.selectedIndex;
    if (panels[place] instanceof HTMLTemplateElement) {
      const template = panels[place];
      panels[place] = template.content.firstElementChild;
      template.replaceWith(panels[place]);
    }
    shown.hidden = true;
    shown = panels[place];
    shown.hidden = false;
    shown.querySelectorAll(".plot").forEach(draw);
  });
}

for (const table of document.querySelectorAll("table.sortable")) {
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
