import math
import warnings

import gpytorch
import numpy as np
import pytest
import torch
from scipy.optimize import approx_fprime

from scoot_ray.core.space import FloatArray
from searchers.gaussian_process import GaussianProcess, Hyperparameters, LogNormal, Priors

PRIORS = Priors(
    length=LogNormal(0.0, 1.5),
    shape=LogNormal(0.0, 0.8),
    signal=LogNormal(0.0, 1.0),
    noise=LogNormal(-4.0, 2.0),
)


def points(num: int, dim: int = 2, seed: int = 0) -> FloatArray:
    return np.random.default_rng(seed).random((num, dim))


def fit(x: FloatArray, y: FloatArray) -> GaussianProcess:
    return GaussianProcess.fit(x, (y - y.mean()) / (y.std() or 1.0), PRIORS)


def test_gradient_is_the_slope_of_the_likelihood() -> None:
    x, y = points(12, 3), np.sin(5 * points(12, 3)[:, 0])
    vector = np.random.default_rng(1).normal(0.0, 0.5, 11)

    def likelihood(vector: FloatArray) -> float:
        process = GaussianProcess(Hyperparameters.from_vector(vector), x, y)
        return process.log_likelihood()[0]

    process = GaussianProcess(Hyperparameters.from_vector(vector), x, y)
    expected = approx_fprime(vector, likelihood, 1e-6)
    assert process.log_likelihood()[1] == pytest.approx(expected, rel=1e-3, abs=1e-3)


class Reference(gpytorch.models.ExactGP):  # type: ignore[misc]
    """The same process in GPyTorch, unwarped, with the mean given."""

    def __init__(self, process: GaussianProcess, mean: float) -> None:
        x, y = torch.from_numpy(process.x), torch.from_numpy(process.y)
        likelihood = gpytorch.likelihoods.GaussianLikelihood().to(x)
        super().__init__(x, y, likelihood)
        self.mean = mean
        self.kernel = gpytorch.kernels.ScaleKernel(
            gpytorch.kernels.MaternKernel(nu=1.5, ard_num_dims=x.shape[1])
        )
        self.to(x)
        self.kernel.outputscale = math.exp(process.hyper.signal)
        self.kernel.base_kernel.lengthscale = np.exp(process.hyper.length)
        likelihood.noise = math.exp(process.hyper.noise)

    def forward(self, x: torch.Tensor) -> gpytorch.distributions.MultivariateNormal:
        mean = torch.full(x.shape[:1], self.mean, dtype=x.dtype)
        return gpytorch.distributions.MultivariateNormal(mean, self.kernel(x))


def test_agrees_with_gpytorch() -> None:
    x = points(15, 3)
    flat = np.zeros(3)
    hyper = Hyperparameters(np.log([0.3, 0.8, 2.0]), flat, flat, math.log(1.3), math.log(0.05))
    process = GaussianProcess(hyper, x, np.sin(4 * x[:, 0]) + x[:, 1])
    mean, sd = process.predict(points(6, 3, seed=1))
    reference = Reference(process, process._mean)
    likelihood = gpytorch.mlls.ExactMarginalLogLikelihood(reference.likelihood, reference)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore", gpytorch.utils.warnings.GPInputWarning)
        reference.train()
        expected = likelihood(reference(*reference.train_inputs), reference.train_targets) * len(x)
        reference.eval()
        posterior = reference(torch.from_numpy(points(6, 3, seed=1)))
        assert mean == pytest.approx(posterior.mean.numpy(), abs=1e-4)
        assert sd == pytest.approx(posterior.variance.sqrt().numpy(), abs=1e-4)
    assert process.log_likelihood()[0] == pytest.approx(float(expected), abs=1e-3)


def test_recovers_a_smooth_function() -> None:
    def f(x: FloatArray) -> FloatArray:
        return np.asarray(np.sin(4 * x[:, 0]) + x[:, 1] ** 2)

    mean, _ = fit(points(30), f(points(30))).predict(points(50, seed=1))
    assert np.corrcoef(mean, f(points(50, seed=1)))[0, 1] > 0.97


def test_is_surer_near_what_was_measured() -> None:
    x = points(20)
    process = fit(x * 0.5, np.sin(9 * x[:, 0]))
    _, near = process.predict(x[:5] * 0.5)
    _, far = process.predict(np.ones((1, 2)))
    assert near.max() < far[0]


def test_finds_the_noise_level() -> None:
    x = points(60)
    noise = np.random.default_rng(1).normal(0.0, 1.0, 60)
    quiet = math.exp(fit(x, 3 * x[:, 0]).hyper.noise)
    loud = math.exp(fit(x, 3 * x[:, 0] + noise).hyper.noise)
    assert quiet < 0.02 < 0.1 < loud


def test_warping_straightens_what_happens_at_one_end() -> None:
    x = points(40, 1)
    process = fit(x, np.exp(-40 * x[:, 0]))
    assert math.exp(process.hyper.a[0]) < 0.9 or math.exp(process.hyper.b[0]) > 1.5


def test_believing_keeps_the_mean_and_shrinks_the_deviation() -> None:
    x = points(15)
    process = fit(x, x.sum(axis=1) ** 2)
    pending = np.array([[0.95, 0.05]])
    (mean, sd), (new_mean, new_sd) = (
        p.predict(pending) for p in (process, process.believing(pending))
    )
    assert new_mean == pytest.approx(mean, abs=1e-3)
    assert new_sd < 0.8 * sd
    assert process.believing(np.empty((0, 2))) is process


@pytest.mark.parametrize("y", [[3.0], [2.0] * 9, [0.0, 1e-13, 0.0], [1.0, -1.0, 1e6]])
def test_survives_awkward_targets(y: list[float]) -> None:
    mean, sd = GaussianProcess.fit(points(len(y)), np.array(y), PRIORS).predict(points(4))
    assert np.isfinite(mean).all()
    assert (sd > 0).all()


def test_survives_duplicated_points_and_flat_priors() -> None:
    flat = Priors(LogNormal(-0.7), LogNormal(0.0), LogNormal(0.0), LogNormal(-4.0))
    x = np.repeat(points(3), 6, axis=0)
    mean, _ = GaussianProcess.fit(x, np.arange(18.0) / 18.0, flat).predict(x)
    assert np.isfinite(mean).all()
