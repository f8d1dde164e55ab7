"""Optimisers off the shelf as peers, used as their documentation says; the first cycle is theirs too."""

import importlib
import importlib.util
import warnings
from typing import Any

import numpy as np
from scipy import stats
from scipy.linalg import solve_triangular

from benchmarks._learning.guard import Guard
from benchmarks._learning.peers import Told
from benchmarks._learning.tastes import Array


def missing() -> dict[str, str]:
    """Name the optimisers that cannot run here, and why."""
    return {} if importlib.util.find_spec("torch") else {"Optuna GP": "not installed: its sampler needs torch"}


class Optuna:
    """Optuna's ask and tell; `GPSampler` or `TPESampler` as they come."""

    starts_at_random = False

    def __init__(self, sampler: str) -> None:
        self.optuna: Any = importlib.import_module("optuna")
        self.optuna.logging.set_verbosity(self.optuna.logging.ERROR)
        self.sampler = sampler
        self.study: Any = None
        self.known: set[int | None] = set()

    def learn(self, told: Told, rng: np.random.Generator) -> None:
        """Add what was heard since."""
        optuna = self.optuna
        if self.study is None:
            sampler = getattr(optuna.samplers, self.sampler)(seed=int(rng.integers(2**31)))
            self.study = optuna.create_study(direction="maximize", sampler=sampler)
            self.space = {
                f"x{k}": optuna.distributions.FloatDistribution(0.0, 1.0) for k in range(told.values.shape[1])
            }
            self.space["genre"] = optuna.distributions.CategoricalDistribution(list(range(told.genres)))
        for i, each in enumerate(told.ids):
            if each not in self.known:
                self.known.add(each)
                values = {f"x{k}": float(v) for k, v in enumerate(told.values[i])} | {"genre": int(told.genre[i])}
                done = optuna.trial.create_trial(params=values, distributions=self.space, value=float(told.outcome[i]))
                self.study.add_trial(done)

    def draw(self, guard: Guard) -> tuple[int, Array]:
        """Ask for a trial."""
        return guard.pick(self._ask)

    def _ask(self) -> tuple[int, Array]:
        trial = self.study.ask(self.space)
        # Closed at once: it comes back as a finished trial with what it became, when that is known.
        self.study.tell(trial, state=self.optuna.trial.TrialState.FAIL)
        values = np.array([trial.params[f"x{k}"] for k in range(len(self.space) - 1)])
        return int(trial.params["genre"]), values


class CmaEs:
    """CMA-ES over the dimensions and one coordinate a genre, of which the largest is taken; reports make generations.

    A generation is told as soon as eight reports are there, whichever cycle they come from.
    """

    starts_at_random = False
    POPULATION = 8

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it misses a plotting library that nobody needs here
            self.cma: Any = importlib.import_module("cma")
        self.strategy: Any = None
        self.known: set[int | None] = set()
        self.waiting: list[tuple[Array, float]] = []
        self.asked: dict[tuple[float, ...], Array] = {}
        self.queue: list[Array] = []

    def learn(self, told: Told, rng: np.random.Generator) -> None:
        """Tell whole generations."""
        d = told.values.shape[1]
        if self.strategy is None:
            options = {"bounds": [0, 1], "popsize": self.POPULATION, "seed": int(rng.integers(1, 2**31)), "verbose": -9}
            self.strategy = self.cma.CMAEvolutionStrategy(np.full(d + told.genres, 0.5), 0.3, options)
            self.dimensions = d
        for i, each in enumerate(told.ids):
            if each not in self.known:
                self.known.add(each)
                point = self.asked[tuple(map(float, told.asked[i]))].copy()
                point[:d] = told.values[i]
                self.waiting.append((point, float(told.outcome[i])))
        while len(self.waiting) >= self.POPULATION:
            generation, self.waiting = self.waiting[: self.POPULATION], self.waiting[self.POPULATION :]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it notices that points come from several generations
                self.strategy.tell([point for point, _ in generation], [-outcome for _, outcome in generation])
            self.queue = list(self.strategy.ask())

    def draw(self, guard: Guard) -> tuple[int, Array]:
        """Ask for a point, a generation at a time."""
        return guard.pick(self._ask)

    def _ask(self) -> tuple[int, Array]:
        if not self.queue:
            self.queue = list(self.strategy.ask())
        point = np.clip(self.queue.pop(), 0.0, 1.0)
        values = point[: self.dimensions]
        self.asked[tuple(map(float, values))] = point
        return int(np.argmax(point[self.dimensions :])), values


class GaussianProcess:
    """scikit-learn's Gaussian process with a Matern kernel, and expected improvement.

    One length for all dimensions: on seeds of tuning it was the stronger peer of the two, at half the time.
    In a batch, each choice is believed to come out as expected before the next is made (Ginsbourger et al. 2010, the
    kriging believer).
    """

    starts_at_random = True
    CANDIDATES = 1500
    #: One-hot genres are this far apart, in widths of the style space.
    GENRES_APART = 0.5

    def learn(self, told: Told, rng: np.random.Generator) -> None:
        """Fit kernel and noise by their likelihood."""
        process = importlib.import_module("sklearn.gaussian_process")
        kernels = process.kernels
        self.genres, self.rng = told.genres, rng
        kernel = kernels.ConstantKernel(1.0) * kernels.Matern(1.0, (0.1, 10.0), nu=2.5)
        kernel = kernel + kernels.WhiteKernel(0.5, (1e-2, 1e1))
        self.centre, self.scale = told.outcome.mean(), max(told.outcome.std(), 1e-6)
        self.x, self.y = self._rows(told.genre, told.values), (told.outcome - self.centre) / self.scale
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a length at its bound is no news with so few rows
            fitted = process.GaussianProcessRegressor(kernel).fit(self.x, self.y)
        self.kernel = fitted.kernel_
        near = np.argsort(-told.outcome)[:20]
        genre = np.concatenate([rng.integers(0, told.genres, self.CANDIDATES), np.repeat(told.genre[near], 20)])
        around = np.repeat(told.values[near], 20, axis=0)
        around = np.clip(around + rng.normal(0.0, 0.1, around.shape), 0.0, 1.0)
        self.genre, self.values = genre, np.vstack([rng.random((self.CANDIDATES, told.values.shape[1])), around])
        self._condition()

    def draw(self, guard: Guard) -> tuple[int, Array]:
        """Take the candidate that promises to beat the best expectation so far by most, the guard's loss taken off."""
        sd = np.sqrt(np.maximum(self.variance, 1e-12))
        over = self.mean - guard.loss(self.genre, self.values) / self.scale - self.best
        promise = over * stats.norm.cdf(over / sd) + sd * stats.norm.pdf(over / sd)
        chosen = int(np.argmax(promise))
        self._believe(chosen)
        return int(self.genre[chosen]), self.values[chosen]

    def _condition(self) -> None:
        """Mean and variance of the function, without noise, at the candidates."""
        signal = self.kernel.k1
        self.rows = self._rows(self.genre, self.values)
        lower = np.linalg.cholesky(self.kernel(self.x) + 1e-8 * np.eye(len(self.x)))
        self.across = solve_triangular(lower, signal(self.x, self.rows), lower=True, check_finite=False)
        half = solve_triangular(lower, self.y, lower=True, check_finite=False)
        self.mean = self.across.T @ half
        self.variance = signal.diag(self.rows) - (self.across**2).sum(axis=0)
        heard = signal(self.x) @ solve_triangular(lower, half, lower=True, trans="T", check_finite=False)
        self.best = float(heard.max())

    def _believe(self, chosen: int) -> None:
        """Condition on a choice that came out as expected: the mean stays, and what is alike becomes surer."""
        shared = self.kernel.k1(self.rows[[chosen]], self.rows)[0] - self.across[:, chosen] @ self.across
        row = shared / np.sqrt(self.variance[chosen] + self.kernel.k2.noise_level)
        self.across = np.vstack([self.across, row])
        self.variance = self.variance - row**2
        self.best = max(self.best, float(self.mean[chosen]))

    def _rows(self, genre: Any, values: Array) -> Array:  # noqa: ANN401 (indices of numpy's several kinds)
        return np.hstack([values, self.GENRES_APART * np.eye(self.genres)[genre]])
