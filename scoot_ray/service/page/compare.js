// Two studies side by side.

import { get } from "./api.js";
import { element, link, table } from "./dom.js";
import { measured, plot } from "./plot.js";
import { show, text } from "./quantity.js";
import { folder } from "./studies.js";

export async function showComparison(view, first, second) {
  const studies = (await get("studies")).filter((study) => study.num_finished);
  if (studies.length < 2) {
    view.replaceChildren(element("h1", {}, "Compare"), element("p", {}, "Two studies with finished trials are needed."));
    return;
  }
  const keys = [first ?? studies[0].key, second ?? studies[1].key];
  const pickers = keys.map((key, index) => picker(studies, key, index, keys));
  const pair = await Promise.all(keys.map((key) => get("studies", key)));
  view.replaceChildren(
    element("h1", {}, "Compare"),
    element("p", { className: "row" }, pickers[0], " with ", pickers[1]),
    ...drawing(pair),
    ...answers(pair),
    ...configurations(pair));
}

function picker(studies, key, index, keys) {
  const options = studies.map((study) => element("option", { value: study.key, selected: study.key === key }, folder(study)));
  const made = element("select", { ariaLabel: index ? "second study" : "first study" }, ...options);
  made.addEventListener("change", () => {
    const chosen = keys.with(index, made.value);
    location.hash = `#/compare/${chosen.map(encodeURIComponent).join("/")}`;
  });
  return made;
}

function drawing(pair) {
  const axes = pair[0].axes, metrics = axes.map((axis) => axis.metric);
  const shared = (trial) => metrics.every((metric) => metric in trial.metrics);
  const groups = pair.map((study) => measured(study).filter(shared));
  if (!groups.every((group) => group.length)) return [element("p", {}, "They measured nothing in common.")];
  return [
    element("p", { className: "muted" }, `Filled blue marks: ${folder(pair[0])}. Hollow orange marks: ${folder(pair[1])}. Only studies of the same workload can be told apart by their numbers.`),
    plot(axes, groups, { choose: (trial) => {
      const study = pair[groups.findIndex((group) => group.includes(trial))];
      location.hash = link("", "study", study.key, "trial", trial.number).hash;
    } }),
  ];
}

const best = (study) => study.trials.find((trial) => trial.is_recommended);
const initial = (study) => study.trials.find((trial) => trial.role === "default");

function answers(pair) {
  const metrics = [...new Set(pair.flatMap((study) => study.metrics))];
  const cells = (metric) => pair.flatMap((study) => [initial(study), best(study)])
    .map((trial) => show(metric, trial?.metrics[metric]));
  const header = ["metric", ...pair.flatMap((study) => [`${folder(study)}: default`, `${folder(study)}: recommended`])];
  return [
    element("h2", {}, "Measured"),
    table("Measured", header, metrics.map((metric) => [metric, ...cells(metric)])),
    ...pair.map((study) => element("p", { className: "verdict" }, `${folder(study)}: ${study.message}`)),
  ];
}

function configurations(pair) {
  const configs = pair.map((study) => best(study)?.config ?? {});
  const names = [...new Set(configs.flatMap(Object.keys))];
  const rows = names.map((name) => {
    const values = configs.map((config) => (name in config ? text(config[name]) : "-"));
    return [name, ...values, values[0] === values[1] ? "" : "differs"];
  });
  return [element("h2", {}, "Recommended configurations"), table("Configurations", ["parameter", folder(pair[0]), folder(pair[1]), ""], rows)];
}
