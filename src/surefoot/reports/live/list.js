// The list of journals asks for its rows every two seconds, while somebody can see it.
"use strict";
const rows = document.getElementById("journals");
const lost = document.getElementById("lost");
setInterval(async () => {
  if (document.hidden) return;
  try {
    const answer = await fetch("rows");
    if (!answer.ok) throw new Error(answer.statusText);
    const text = await answer.text();
    if (text !== rows.dataset.told) rows.innerHTML = rows.dataset.told = text;
    lost.hidden = true;
  } catch {
    lost.textContent = "surefoot watch has ended: start it again to see what is new.";
    lost.hidden = false;
  }
}, 2000);
