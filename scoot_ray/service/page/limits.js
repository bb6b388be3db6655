// Choosing a point of the front: two limits to drag, and the export of what is chosen.

import { get } from "./api.js";
import { element } from "./dom.js";
import { measured, plot, scale } from "./plot.js";
import { show } from "./quantity.js";

const STEPS = 1000;

// Returns an object whose `update(study)` draws the chooser anew and keeps what was dragged.
export function limits(place, key) {
  let study = null, points = [], dragged = [null, null], pinned = null, asked = 0, chosen = null;
  const drawing = element("div"), sliders = element("div");
  const form = element("select", { ariaLabel: "Form of the export", id: "form" });
  const target = element("select", { ariaLabel: "Best in", id: "target" });
  const reason = element("p", { id: "reason", ariaLive: "polite" }), text = element("pre", { id: "export" });
  const copy = element("button", { type: "button" }, "Copy");
  const again = element("button", { type: "button" }, "The recommended one");

  form.addEventListener("change", ask);
  target.addEventListener("change", ask);
  copy.addEventListener("click", () => navigator.clipboard.writeText(text.textContent));
  again.addEventListener("click", () => { dragged = [null, null]; pinned = null; drawSliders(); ask(); });

  function update(next) {
    const first = study === null;
    study = next;
    points = measured(study);
    if (!points.length) return;
    if (first || !place.hasChildNodes()) arrange();
    drawSliders();
    ask();
  }

  function arrange() {
    form.replaceChildren(...study.forms.map((name) => element("option", { value: name }, name)));
    target.replaceChildren(...study.axes.map((axis) => element("option", { value: axis.metric }, axis.metric)));
    place.replaceChildren(
      element("h2", {}, "Front and export"),
      element("div", { className: "columns" },
        element("div", {}, drawing, element("p", { className: "muted" }, "◆ front, ■ default, ● tried, ★ chosen. Click a mark, or drag a limit.")),
        element("div", {}, sliders,
          element("p", { className: "row" }, element("label", {}, "best in ", target), element("label", {}, "as ", form), copy, again),
          reason, text)));
  }

  // The loosest limit stands at the right end of its slider.
  function bound(index) {
    if (dragged[index] === null) return undefined;
    const axis = study.axes[index], share = dragged[index] / STEPS;
    const value = scale(axis.metric, [points]).value(axis.direction === "min" ? share : 1 - share);
    return Number(value.toPrecision(4));
  }

  function drawSliders() {
    if (sliders.contains(document.activeElement)) return;
    sliders.replaceChildren(...study.axes.map((axis, index) => {
      const value = element("output");
      const words = () => value.replaceChildren(
        bound(index) === undefined ? "no limit" : `${sign(axis)} ${show(axis.metric, bound(index))}`);
      const slider = element("input", { type: "range", min: 0, max: STEPS, value: dragged[index] ?? STEPS, id: `limit-${index}` });
      slider.addEventListener("input", () => {
        dragged[index] = Number(slider.value) === STEPS ? null : Number(slider.value);
        pinned = null;
        words();
        ask();
      });
      words();
      return element("label", { className: "limit" }, axis.metric, value, slider);
    }));
  }

  function query() {
    const words = new URLSearchParams({ to: form.value });
    if (pinned !== null) words.set("config", pinned);
    else if (dragged.some((each) => each !== null)) {
      study.axes.forEach((axis, index) => {
        if (bound(index) !== undefined) words.append("where", `${axis.metric} ${sign(axis)} ${bound(index)}`);
      });
      const best = study.axes.find((axis) => axis.metric === target.value);
      words.set(best.direction === "min" ? "minimize" : "maximize", best.metric);
    }
    return words;
  }

  async function ask() {
    const mine = ++asked;
    draw();
    try {
      const found = await get("studies", key, "export", query());
      if (mine !== asked) return;
      chosen = points.find((trial) => trial.number === found.number) ?? null;
      reason.textContent = `Trial ${found.number}: ${found.reason}`;
      text.textContent = found.text;
    } catch (error) {
      if (mine !== asked) return;
      chosen = null;
      reason.textContent = error.message;
      text.textContent = "";
    }
    draw();
  }

  function draw() {
    const focused = drawing.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
    drawing.replaceChildren(plot(study.axes, [points], {
      limits: [bound(0), bound(1)], chosen, choose: (trial) => { pinned = trial.number; ask(); },
    }));
    if (focused !== null) {
      const number = focused.match(/^Trial \d+/)[0];
      [...drawing.querySelectorAll(".mark")].find((mark) => mark.getAttribute("aria-label").match(/^Trial \d+/)[0] === number)?.focus();
    }
  }

  return { update };
}

function sign(axis) {
  return axis.direction === "min" ? "<=" : ">=";
}
