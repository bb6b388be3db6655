// A new study: fields write its file, which can be edited, and is checked as the file is.

import { get, post } from "./api.js";
import { element } from "./dom.js";

// The answer, its words, and the place in the study file where it stands.
const FIELDS = [
  ["name", "Name", "name"],
  ["kind", "Engine", "engine.kind"],
  ["model", "Model: name on the hub, or folder", "engine.model"],
  ["num_gpus", "GPUs of the whole service", "service.num_gpus"],
  ["accelerator", "Type of the GPUs", "service.accelerator"],
  ["trace", "Requests: absolute path of a trace, or synthetic:bot, :sql, :cls, :rec", "workload.trace"],
  ["request_rate_rps", "Requests a second, of the whole service", "workload.request_rate_rps"],
  ["objective", "What is wanted", "objective"],
  ["limit_metric", "With a limit on", null],
  ["limit_bound", "Its bound: seconds, or a number a second", "limits"],
];
const WORDS = {
  simulated: "simulated (no GPU needed)",
  interactive: "interactive: short TTFT and TPOT",
  online: "online: short p95 latency",
  offline: "offline: much throughput",
};

export async function showForm(view) {
  const form = await get("drafts");
  const fields = FIELDS.map((words) => field(form, ...words));
  const text = element("textarea", { id: "study-text", spellcheck: false, wrap: "off" });
  const finding = element("div", { id: "finding", role: "status" });
  const answers = element("fieldset", {}, element("legend", {}, "What you have and want"), ...fields.map((each) => each.place));
  const back = element("button", { type: "button" }, "Write it from the fields again");
  const byHand = element("p", { hidden: true }, "The text has been edited, and the fields no longer write it. ", back);
  let last = Promise.resolve();

  const tell = (message, mistakes = []) => {
    for (const each of fields) each.mark(mistakes);
    finding.replaceChildren(...(mistakes.length ? [list(mistakes, text)] : [message]));
  };
  // One thing after the other: what is started is what the last answer wrote.
  const act = (work) => last = last.then(work).then(tell, (error) => tell(error.message, error.mistakes));
  const check = async () => { await post({ text: text.value }, "checks"); return "This is a valid study."; };
  const write = () => act(async () => {
    const draft = Object.fromEntries(fields.map((each) => [each.name, each.input.value.trim()]));
    text.value = (await post(draft, "drafts")).text;
    answers.disabled = false;
    byHand.hidden = true;
    return check();
  });
  const start = async () => {
    const study = await post({ text: text.value }, "studies");
    location.hash = `#/study/${encodeURIComponent(study.key)}`;
    return "";
  };
  const button = (label, className, work) => {
    const made = element("button", { type: "button", className }, label);
    made.addEventListener("click", async () => {
      made.disabled = true;
      await act(work);
      made.disabled = false;
    });
    return made;
  };

  answers.addEventListener("change", write);
  back.addEventListener("click", write);
  text.addEventListener("input", () => { answers.disabled = true; byHand.hidden = false; tell(""); });
  await write();
  view.replaceChildren(
    element("h1", {}, "New study"),
    element("p", {}, "It runs on this machine and goes on when this page is closed."),
    element("div", { className: "columns" },
      answers,
      element("div", {},
        element("label", { htmlFor: "study-text" }, "The study file, in YAML; paths are relative to its new folder"),
        text, byHand,
        element("p", { className: "row" }, button("Check", "", check), button("Start", "main", start)),
        finding)));
}

function field(form, name, words, path) {
  const id = `draft-${name}`, value = form.example[name];
  const none = name.startsWith("limit_") ? [element("option", { value: "" }, "no limit")] : [];
  const options = (form[name] ?? []).map((each) => element("option", { value: each, selected: each === value }, WORDS[each] ?? each));
  const input = options.length
    ? element("select", { id }, ...none, ...options)
    : element("input", { id, value, spellcheck: false, autocomplete: "off" });
  const wrong = element("span", { className: "wrong", id: `${id}-wrong` });
  input.setAttribute("aria-describedby", wrong.id);
  const mark = (mistakes) => {
    const mine = mistakes.find((each) => `${each.location.join(".")}.`.startsWith(`${path}.`));
    input.setAttribute("aria-invalid", String(Boolean(mine)));
    wrong.textContent = mine?.message ?? "";
  };
  return { name, input, mark, place: element("label", { className: "answer" }, words, input, wrong) };
}

function list(mistakes, text) {
  return element("ul", {}, ...mistakes.map((each) => {
    const words = [each.location.join("."), each.message].filter(Boolean).join(": ");
    if (each.line === null) return element("li", {}, words);
    const line = element("button", { type: "button" }, `line ${each.line}`);
    line.addEventListener("click", () => select(text, each.line));
    return element("li", {}, line, ` ${words}`);
  }));
}

function select(text, line) {
  const lines = text.value.split("\n");
  const begin = lines.slice(0, line - 1).join("\n").length + (line > 1);
  text.focus();
  text.setSelectionRange(begin, begin + lines[line - 1].length);
  text.scrollTop = (line - 4) * parseFloat(getComputedStyle(text).lineHeight);
}
