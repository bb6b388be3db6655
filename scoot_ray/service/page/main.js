// Which view is shown, by the part of the address after #, and kept up to date.

import { showComparison } from "./compare.js";
import { notice } from "./dom.js";
import { showForm } from "./form.js";
import { showStudies } from "./studies.js";
import { showStudy, showTrialPage } from "./study.js";

const PERIOD_MS = 2000;
const view = document.getElementById("view");
let shown = 0;

// Shows the view; returns what brings it up to date, or nothing.
async function open(place, name, ...parts) {
  if (name === "new") return showForm(place);
  if (name === "compare") return showComparison(place, ...parts);
  if (name === "study" && parts[1] === "trial") return showTrialPage(place, parts[0], parts[2]);
  if (name === "study") return showStudy(place, parts[0]);
  await showStudies(place);
  return () => showStudies(place);
}

async function route() {
  const mine = ++shown;
  const place = document.createElement("div");
  view.replaceChildren(place);
  notice("");
  let refresh = null, failed = false;
  while (mine === shown) {
    try {
      if (refresh === null) refresh = await open(place, ...parts()) ?? undefined;
      else if (!document.hidden) await refresh();
      if (mine === shown && failed) notice("");
      failed = false;
    } catch (error) {
      failed = true;
      if (mine === shown) notice(error.message);
    }
    if (refresh === undefined) return;
    await new Promise((resolve) => setTimeout(resolve, PERIOD_MS));
  }
}

function parts() {
  return location.hash.replace(/^#\/?/, "").split("/").filter(Boolean).map(decodeURIComponent);
}

addEventListener("hashchange", () => { route(); view.focus(); });
route();
