// A page is read without this script: it draws figures that can be pointed at and lets one choose
// whose.
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
