// One study: its answer, its front with two limits to drag, the export, its trials.

import { get, post } from "./api.js";
import { element, link, notice, table } from "./dom.js";
import { limits } from "./limits.js";
import { changes, show, showTrial, text as words } from "./quantity.js";
import { progress, SIGNS } from "./studies.js";

export async function showStudy(view, key) {
  const head = element("div"), choice = element("div"), trials = element("div"), rest = element("div");
  view.replaceChildren(head, choice, trials, rest);
  const chooser = limits(choice, key);
  let before = "";

  async function refresh() {
    const study = await get("studies", key);
    const now = JSON.stringify(study);
    if (now === before) return;
    before = now;
    head.replaceChildren(...top(study, refresh));
    chooser.update(study);
    trials.replaceChildren(...trialTable(study));
    rest.replaceChildren(...texts(study, rest));
  }
  await refresh();
  return refresh;
}

function top(study, refresh) {
  return [
    element("h1", {}, study.name),
    element("p", { className: "row" },
      element("span", { className: "state", id: "state" }, SIGNS[study.state]), progress(study), ...buttons(study, refresh)),
    element("p", { className: "verdict", id: "verdict" }, study.message),
    element("p", { className: "muted" }, study.measured_by && `Measured by: ${study.measured_by}`,
      study.limits.length ? ` Limits: ${study.limits.join(", ")}.` : ""),
  ];
}

function buttons(study, refresh) {
  const act = (label, ...parts) => {
    const button = element("button", { type: "button" }, label);
    button.addEventListener("click", async () => {
      button.disabled = true;
      try {
        await post({}, "studies", study.key, ...parts);
        notice("");
        await refresh();
      } catch (error) {
        notice(error.message);
      }
      button.disabled = false;
    });
    return button;
  };
  if (study.state === "running") return [act("Stop", "stop")];
  return study.can_start && study.state === "stopped" ? [act("Go on", "start")] : [];
}

function trialTable(study) {
  const base = study.trials.find((trial) => trial.role === "default")?.config;
  const rows = study.trials.map((trial) => [
    trial.state === "RUNNING" || trial.state === "UNFINISHED"
      ? String(trial.number) : link(String(trial.number), "study", study.key, "trial", trial.number),
    trial.role,
    trial.state + (trial.is_recommended ? " ★ recommended" : trial.is_on_front ? " ◆ front" : ""),
    ...study.metrics.map((metric) => showTrial(trial, metric)),
    changes(trial.config, base),
    trial.note,
  ]);
  if (!rows.length) return [];
  const header = ["trial", "role", "state", ...study.metrics, "changes from the default", "notes"];
  return [element("h2", {}, "Trials"), table("Trials", header, rows)];
}

function texts(study, before) {
  const open = new Set([...before.querySelectorAll("details[open]")].map((each) => each.id));
  const fold = (id, title, text) => element("details", { id, open: open.has(id) || id === "log" && !study.trials.length },
    element("summary", {}, title), element("pre", {}, text));
  return [
    ...(study.log ? [fold("log", "What scoot tune printed", study.log)] : []),
    ...(study.study ? [fold("text", "The study as recorded", study.study)] : []),
  ];
}

export async function showTrialPage(view, key, number) {
  const trial = await get("studies", key, "trials", number);
  const pairs = (caption, values, write) => [
    element("h2", {}, caption),
    table(caption, ["name", "value"], Object.entries(values).map(([name, value]) => [name, write(name, value)])),
  ];
  const lines = (id, text) => element("pre", { id, tabIndex: 0 }, text);
  const log = lines("engine-log", trial.log || "There is no log.");
  const first = trial.first_log
    ? [element("h2", {}, "Last lines of the first try"), lines("first-log", trial.first_log)] : [];
  view.replaceChildren(
    element("p", {}, link("← the study", "study", key)),
    element("h1", {}, `Trial ${trial.number}: ${trial.state}`),
    element("p", {}, `${trial.role}; ${Math.round(trial.gpu_seconds)} GPU seconds. ${trial.note}`),
    element("h2", {}, "Log"),
    log,
    ...first,
    element("div", { className: "columns" },
      element("div", {}, ...pairs("Configuration", trial.config, (_, value) => words(value))),
      element("div", {}, ...pairs("Metrics", trial.metrics, show), ...pairs("Time by phase", trial.phases_s, (_, seconds) => show("_s", seconds)))));
  log.scrollTop = log.scrollHeight;  // what it said last
}
