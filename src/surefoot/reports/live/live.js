// A journal's page: Bokeh's figures in their places, and the HTML around them exchanged as it comes.
"use strict";

const main = document.querySelector("main");

function parsed(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.firstElementChild;
}

// Puts what stands around one node in place of what stands around another, which stays itself:
// a figure that is taken out of the page is drawn anew.
function exchange(kept, other) {
  const siblings = Array.from(other.parentNode.childNodes);
  const at = siblings.indexOf(other);
  for (const node of Array.from(kept.parentNode.childNodes)) if (node !== kept) node.remove();
  kept.before(...siblings.slice(0, at));
  kept.after(...siblings.slice(at + 1));
}

function figures(block) {
  return Array.from(block.querySelectorAll(".live"));
}

function names(block) {
  return figures(block).map((place) => place.dataset.figure).join(" ");
}

// Shows a block's new HTML; its figures stay, and its tables stay sorted as they were.
function refresh(block, html) {
  let fresh = parsed(html);
  const sorted = Array.from(block.querySelectorAll("table"), (table) => {
    const head = table.querySelector("th[aria-sort]");
    return head === null ? null : [head.cellIndex, head.getAttribute("aria-sort")];
  });
  if (names(block) === "" || names(block) !== names(fresh)) {
    block.replaceWith(fresh);
  } else {
    const others = figures(fresh);
    let [kept, other] = [block, fresh].map((one) => one.querySelector(".panels"));
    for (const [at, place] of figures(block).entries()) exchange(place, others[at]);
    for (; kept !== block; [kept, other] = [kept.parentNode, other.parentNode]) {
      exchange(kept, other);
    }
    fresh = block;
  }
  for (const [at, table] of Array.from(fresh.querySelectorAll("table.sortable")).entries()) {
    makeSortable(table);
    if (!sorted[at]) continue;
    const button = table.tHead.rows[0].cells[sorted[at][0]].querySelector("button");
    button.click();
    if (sorted[at][1] === "descending") button.click();
  }
}

async function live() {
  const item = JSON.parse(document.getElementById("embed").dataset.embed);
  await Bokeh.embed.embed_items({}, [item]);
  const model = Bokeh.documents.at(-1);
  const source = model.get_model_by_name("shown");
  const chosen = model.get_model_by_name("chosen");
  const shown = new Map();

  async function show() {
    document.title = document.querySelector("h1").textContent = model.title();
    const { name, html } = source.data;
    for (const block of Array.from(main.children)) {
      if (!name.includes(block.id)) block.remove();
    }
    for (const [at, id] of name.entries()) {
      const block = document.getElementById(id);
      if (block === null) {
        const fresh = parsed(html[at]);
        main.insertBefore(fresh, main.children[at] ?? null);
        fresh.querySelectorAll("table.sortable").forEach(makeSortable);
      } else if (html[at] !== shown.get(id)) {
        refresh(block, html[at]);
      }
      shown.set(id, html[at]);
    }
    for (const place of figures(main)) {
      const column = model.get_model_by_name(place.dataset.figure);
      if (place.dataset.drawn !== undefined || column === null) continue;
      place.dataset.drawn = "";
      model.views_manager.get(column)?.remove();
      const view = await model.views_manager.build_view(column);
      view.build(place);
    }
  }

  source.properties.data.change.connect(show);
  source.patching.connect(show);
  await show();
  document.addEventListener("change", (event) => {
    if (event.target.dataset.view === undefined) return;
    const all = Array.from(document.querySelectorAll("select[data-view]"));
    chosen.data = {
      view: all.map((select) => select.dataset.view),
      choice: all.map((select) => select.value),
    };
  });
  model.on_event("connection_lost", () => {
    const lost = document.getElementById("lost");
    lost.textContent = "surefoot watch has ended: start it again and reload to see what is new.";
    lost.hidden = false;
  });
  document.documentElement.dataset.live = "yes";
}

live();
