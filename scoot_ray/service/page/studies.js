// The list of studies.

import { get } from "./api.js";
import { element, link, table } from "./dom.js";

export const SIGNS = { running: "▶ running", finished: "✔ finished", stopped: "■ stopped", damaged: "✖ damaged" };

export async function showStudies(view) {
  const studies = await get("studies");
  const rows = studies.map((study) => [
    link(folder(study), "study", study.key),
    element("span", { className: "state" }, SIGNS[study.state]),
    progress(study),
    study.message,
  ]);
  view.replaceChildren(
    element("h1", {}, "Studies"),
    studies.length
      ? table("Studies", ["study", "state", "trials", "answer so far"], rows)
      : element("p", {}, "No study lies here yet. ", link("Start one.", "new")));
}

export function progress(study) {
  const bar = element("progress", { value: study.num_finished, max: study.num_trials || 1, ariaLabel: "trials finished" });
  return element("span", {}, bar, ` ${study.num_finished} of at most ${study.num_trials}`);
}

// Names may occur twice, folders cannot.
export function folder(study) {
  return study.key.replaceAll("~1", "/").replaceAll("~0", "~");
}
