"""Draws the figures of `method.md` with the real search: `make docs`, or `python -m docs.draw`."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scoot_ray.core.space import FloatArray
from searchers.scale import Scale
from searchers.scoot import fit_gp
from searchers.smooth_feasibility import SmoothFeasibility
from searchers.threshold import HIGHEST, LOWEST, fold_threshold

FOLDER = Path(__file__).parent / "figures"
BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#777777"
CRASHES_ABOVE = 0.8
MEASURED = np.array([0.05, 0.2, 0.35, 0.5, 0.62, 0.72])
CRASHED = np.array([0.88, 0.97])


def ttft_s(x: FloatArray) -> FloatArray:
    """Return a made-up TTFT over one parameter: waiting falls, steps grow longer."""
    return 0.15 + 0.6 * np.exp(-5.0 * x) + 0.5 * x**3


def unscaled(scale: Scale, values: FloatArray) -> FloatArray:
    """Return what `scale.apply` would map to `values`, which is increasing."""
    losses = np.linspace(0.01, 5.0, 5000)
    return np.interp(values, scale.apply(losses), losses)


def draw_surrogate(axes: Axes) -> None:
    """Draw what the Gaussian process knows of the measured configurations."""
    grid = np.linspace(0.0, 1.0, 201)
    surrogate = fit_gp(MEASURED[:, None], ttft_s(MEASURED))
    mean, sd = surrogate.model.predict(grid[:, None])
    low, middle, high = (unscaled(surrogate.scale, mean + k * sd) for k in (-1.96, 0.0, 1.96))
    axes.fill_between(grid, low, high, color=BLUE, alpha=0.2, lw=0, label="95 % band")
    axes.plot(grid, middle, color=BLUE, label="mean of the Gaussian process")
    axes.plot(grid, ttft_s(grid), color=GREY, ls="--", lw=1, label="truth (made up)")
    axes.plot(MEASURED, ttft_s(MEASURED), "o", color="black", ms=5, label="measured")
    axes.set(xlabel="one parameter, on [0, 1]", ylabel="TTFT, s", ylim=(0, 1.2))


def draw_gate(axes: Axes) -> None:
    """Draw the probability of feasibility, and what the threshold lets pass."""
    grid = np.linspace(0.0, 1.0, 401)
    points = np.concatenate([MEASURED, CRASHED])
    completed = points < CRASHES_ABOVE
    pof = SmoothFeasibility.fit(points[:, None], completed, 0).probability(grid[:, None])
    delta = fold_threshold(completed.tolist()).delta
    axes.plot(grid, pof, color=BLUE, label="probability of feasibility")
    axes.axhline(delta, color=ORANGE, ls="--", label=f"threshold Δ = {delta:.2f}")
    axes.fill_between(grid, 0, 1, where=pof < delta, color=ORANGE, alpha=0.15, lw=0)
    axes.plot(MEASURED, np.ones(len(MEASURED)), "o", color="black", ms=5, label="completed")
    axes.plot(CRASHED, np.zeros(len(CRASHED)), "x", color=ORANGE, ms=7, label="crashed")
    axes.set(xlabel="one parameter, on [0, 1]", ylabel="probability", ylim=(-0.05, 1.05))


def draw_threshold(axes: Axes) -> None:
    """Draw how the threshold follows a made-up row of completed and crashed trials."""
    completed = np.ones(40, dtype=bool)
    completed[[3, 5, 6, 12]] = False
    trials = np.arange(len(completed) + 1)
    deltas = [fold_threshold(completed[:n].tolist()).delta for n in trials]
    crashes = np.flatnonzero(~completed) + 1
    axes.step(trials, deltas, where="post", color=BLUE, label="Δ")
    axes.plot(crashes, [deltas[n] for n in crashes], "x", color=ORANGE, ms=7, label="a crash")
    axes.axhspan(LOWEST, HIGHEST, color=GREY, alpha=0.1, lw=0, label="its range")
    axes.set(xlabel="finished trials", ylabel="threshold Δ", ylim=(0, 1))


def draw_fairness(axes: Axes) -> None:
    """Draw which GPUs and which share of the load a trial gets, of a service of G = 4."""
    for row, degree in enumerate((4, 2, 1)):
        for gpu in range(4):
            used = gpu < degree
            axes.add_patch(
                mpl.patches.Rectangle(
                    (gpu + 0.05, row + 0.1), 0.9, 0.7, fc=BLUE if used else "none", ec=GREY, lw=1
                )
            )
        replicas = 4 // degree
        text = f"1 of {replicas} runs, under {degree}/4 of the load; its rates count x {replicas}"
        axes.text(4.3, row + 0.45, text, va="center")
        axes.text(-0.2, row + 0.45, f"t = {degree}", va="center", ha="right")
    axes.set(xlim=(-1, 11), ylim=(0, 3))
    axes.axis("off")


DRAWINGS = {
    "surrogate": draw_surrogate,
    "gate": draw_gate,
    "threshold": draw_threshold,
    "fairness": draw_fairness,
}


def draw(folder: Path) -> None:
    """Write every figure as SVG, on white so that it reads in dark mode, too."""
    folder.mkdir(parents=True, exist_ok=True)
    mpl.rcParams |= {"svg.hashsalt": "scoot", "svg.fonttype": "none"}
    for name, drawing in DRAWINGS.items():
        figure = Figure(figsize=(7.2, 2.0 if name == "fairness" else 3.0), layout="constrained")
        axes = figure.add_subplot()
        drawing(axes)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize=8)
        figure.savefig(folder / f"{name}.svg", metadata={"Date": None}, facecolor="white")


if __name__ == "__main__":
    draw(FOLDER)
