// A new study: its text is what the study file holds, and is checked as that is.

import { post } from "./api.js";
import { element } from "./dom.js";

const EXAMPLE = `name: my-study
engine:
  kind: simulated                   # vllm | sglang | tensorrt_llm | simulated (no GPU needed)
  model: meta-llama/Llama-2-7b-hf
  fixed: {max_model_len: 4096}      # flags that are set, not tuned
service: {num_gpus: 8, accelerator: L40S}
workload:
  trace: synthetic:bot              # or the absolute path of a trace
  request_rate_rps: 7.5
  duration_s: 100
objective: interactive              # interactive | online | offline
search: {observations: 30, parallelism: 4, seed: 0}
`;

export function showForm(view) {
  const text = element("textarea", { id: "study-text", spellcheck: false, value: EXAMPLE });
  const finding = element("pre", { id: "finding", role: "status", hidden: true });
  const button = (label, className, act) => {
    const made = element("button", { type: "button", className }, label);
    made.addEventListener("click", async () => {
      made.disabled = true;
      try {
        tell(await act());
      } catch (error) {
        tell(error.message);
      }
      made.disabled = false;
    });
    return made;
  };
  const tell = (words) => { finding.textContent = words; finding.hidden = !words; };
  const body = () => ({ text: text.value });

  view.replaceChildren(
    element("h1", {}, "New study"),
    element("p", {}, "It runs on this machine and goes on when this page is closed. Relative paths are relative to its new folder."),
    element("label", { htmlFor: "study-text" }, "The study file, in YAML"),
    text,
    element("p", { className: "row" },
      button("Check", "", async () => { await post(body(), "checks"); return "This is a valid study."; }),
      button("Start", "main", async () => {
        const study = await post(body(), "studies");
        location.hash = `#/study/${encodeURIComponent(study.key)}`;
        return "";
      })),
    finding);
}
