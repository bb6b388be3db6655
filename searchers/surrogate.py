"""The surrogate: a Gaussian process over the unit cube, one for each objective or limit.

    symbol  meaning                                shape    unit, sign
    points  configurations in the unit cube        [n, d]   [0, 1]
    values  what was measured                      [n]      any unit, smaller is better
    targets values in standard units               [n]      mean 0, deviation 1
    mean    posterior mean in standard units       [q]      smaller is better
    sd      posterior deviation of the function    [q]      positive

Matern 3/2 with one length scale per dimension, Kumaraswamy input warping, Gaussian noise of a
level found by maximum likelihood (design, section 5). Weak log-normal priors on length scales and
warping keep the fit to a handful of points sane (Hvarfner et al. 2024; Snoek et al. 2014).
"""

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from botorch.exceptions.errors import ModelFittingError
from botorch.exceptions.warnings import InputDataWarning, OptimizationWarning
from botorch.models import SingleTaskGP
from botorch.models.transforms.input import Warp
from botorch.optim.fit import fit_gpytorch_mll_scipy
from gpytorch.constraints import GreaterThan
from gpytorch.kernels import MaternKernel
from gpytorch.likelihoods import GaussianLikelihood
from gpytorch.mlls import ExactMarginalLogLikelihood
from gpytorch.priors import LogNormalPrior
from linear_operator.utils.errors import NanError, NotPSDError
from linear_operator.utils.warnings import NumericalWarning

from scoot_ray.core.space import FloatArray

MAX_ITERATIONS = 75  # the likelihood is flat beyond: 200 improve it in the third decimal
MIN_NOISE = 1e-4  # variance in standard units; keeps duplicated points from being singular
HEAVY_TAIL = 10.0  # largest over smallest value from which a positive metric is modelled in logs


@dataclass(frozen=True)
class Scale:
    """Map values to standard units, monotonically: targets = (g(values) - shift) / width.

    g is the logarithm for positive values that span more than a factor of `HEAVY_TAIL`, such as
    TTFT near saturation, and the identity otherwise.
    """

    is_log: bool
    shift: float
    width: float

    @classmethod
    def of(cls, values: FloatArray) -> "Scale":
        """Choose the scale for finite values, shape [n]."""
        is_log = bool(values.min() > 0 and values.max() > HEAVY_TAIL * values.min())
        values = np.log(values) if is_log else values
        # Dividing first keeps the sum and the squares of huge values from overflowing.
        size = float(np.abs(values).max()) or 1.0
        shift, width = float((values / size).mean()), float((values / size).std())
        is_constant = width < 1e-12
        return cls(is_log, shift * size, 1.0 * size if is_constant else width * size)

    def apply(self, values: FloatArray) -> FloatArray:
        """Return values, any shape, in standard units."""
        values = np.log(values) if self.is_log else values
        # Divided apart, so that the difference of huge values does not overflow.
        return values / self.width - self.shift / self.width


@dataclass(frozen=True)
class Surrogate:
    """Predict one metric; immutable, and built by `fit`."""

    model: SingleTaskGP
    scale: Scale

    @classmethod
    def fit(cls, points: FloatArray, values: FloatArray) -> "Surrogate":
        """Fit to points, shape [n, d], and values, shape [n]; NaN values are left out.

        Raises:
            ValueError: If no value is finite.
        """
        known = np.isfinite(values)
        if not known.any():
            raise ValueError("A surrogate needs at least one finite value; it got none.")
        scale = Scale.of(values[known])
        targets = scale.apply(values[known])
        return cls(_fit_model(points[known], targets), scale)

    def predict(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return mean and sd, each of shape [q], in standard units, at points of shape [q, d]."""
        with _quiet(), torch.no_grad():
            posterior = self.model.posterior(torch.from_numpy(points))
            mean, variance = posterior.mean.squeeze(-1), posterior.variance.squeeze(-1)
        return mean.numpy(), variance.clamp_min(1e-12).sqrt().numpy()

    def believing(self, points: FloatArray) -> "Surrogate":
        """Return a surrogate that takes its own mean at `points`, shape [p, d], for measured.

        The mean stays and the deviation shrinks around configurations in flight, so that the next
        suggestion looks elsewhere (kriging believer; Ginsbourger et al. 2010).
        """
        if len(points) == 0:
            return self
        mean, _ = self.predict(points)
        old_points, old_targets = _training_data(self.model)
        model = _new_model(
            torch.cat([old_points, torch.from_numpy(points)]),
            torch.cat([old_targets, torch.from_numpy(mean)]),
        )
        model.load_state_dict(self.model.state_dict())
        return Surrogate(model.eval(), self.scale)


def _fit_model(points: FloatArray, targets: FloatArray) -> SingleTaskGP:
    x, y = torch.from_numpy(points), torch.from_numpy(targets)
    model = _new_model(x, y)
    # One point or a constant metric says nothing about length scales: the prior's modes stay.
    if np.ptp(targets) < 1e-9:
        return model.eval()
    try:
        with _quiet():
            mll = ExactMarginalLogLikelihood(model.likelihood, model)
            fit_gpytorch_mll_scipy(mll, options={"maxiter": MAX_ITERATIONS})
            model.eval().posterior(x[:1])
    except (ModelFittingError, NanError, NotPSDError):
        # A study must go on: a smooth default surrogate is a worse guide, but a guide.
        model = _new_model(x, y)
    return model.eval()


def _new_model(x: torch.Tensor, y: torch.Tensor) -> SingleTaskGP:
    d = x.shape[-1]
    lengths = LogNormalPrior(math.sqrt(2.0) + 0.5 * math.log(d), math.sqrt(3.0))
    kernel = MaternKernel(
        nu=1.5,
        ard_num_dims=d,
        lengthscale_prior=lengths,
        lengthscale_constraint=GreaterThan(0.025, initial_value=lengths.mode),
    )
    warp = Warp(
        d=d,
        indices=list(range(d)),
        concentration1_prior=LogNormalPrior(0.0, math.sqrt(0.75)),
        concentration0_prior=LogNormalPrior(0.0, math.sqrt(0.75)),
    )
    with _quiet():
        model = SingleTaskGP(
            x,
            y.unsqueeze(-1),
            covar_module=kernel,
            likelihood=GaussianLikelihood(
                noise_constraint=GreaterThan(MIN_NOISE, initial_value=1e-2)
            ),
            input_transform=warp,
            outcome_transform=None,
        )
    return model.to(torch.float64)


def _training_data(model: SingleTaskGP) -> tuple[torch.Tensor, torch.Tensor]:
    # In evaluation mode botorch holds warped inputs; training mode gives back the raw ones.
    model.train()
    x, y = model.train_inputs[0].clone(), model.train_targets.clone()
    model.eval()
    return x, y


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence three warnings that are expected with few, duplicated or constant points."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputDataWarning)  # constant targets have no deviation
        warnings.simplefilter("ignore", OptimizationWarning)  # the iteration limit is meant
        warnings.simplefilter("ignore", NumericalWarning)  # jitter added to duplicated points
        yield
