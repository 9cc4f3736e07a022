"""The clusterer: one call for tables and time series."""

from __future__ import annotations

import enum
import sys
import time
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast import _core
from holdfast._estimator import Estimator
from holdfast._limits import seed, threads
from holdfast.clustering import _input, _persistence
from holdfast.clustering._data import Limits, Rows, Sequences
from holdfast.clustering._fallback import RawModel
from holdfast.clustering._metrics import ClusteringMetrics, interpret, measure
from holdfast.clustering._model import Model
from holdfast.clustering._plot import draw, summary_html
from holdfast.clustering._scores import silhouette_score
from holdfast.errors import (
    FewerClustersWarning,
    InvalidClusteringInputError,
    InvalidDataError,
    InvalidParameterError,
    NeuromorphicErrorType,
    NeuromorphicException,
    TimeBudgetError,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from numpy.typing import NDArray
    from sklearn.utils import Tags
    from typing_extensions import Self


class NeuromorphicClusteringMethod(str, enum.Enum):
    """What the features are made by."""

    ECHO_STATE_NETWORK = "echo_state_network"
    SPIKING_NEURAL_NETWORK = "spiking_neural_network"
    LIQUID_STATE_MACHINE = "liquid_state_machine"
    HYBRID_RESERVOIR = "hybrid_reservoir"


_SHORT = {
    "esn": "echo_state_network",
    "snn": "spiking_neural_network",
    "lsm": "liquid_state_machine",
    "hybrid": "hybrid_reservoir",
}
_LEVELS = ("conservative", "balanced", "aggressive")
_LAYOUTS = ("ntc", "nct")
_BAR_AFTER = 1.0  # seconds


@dataclass
class _Fit:
    """What one fit learned; replaced as a whole, or not at all."""

    model: Model | RawModel
    data: Rows | Sequences
    columns: _input.Columns | None
    channels: int
    filled: int
    seed: int
    seconds: float
    error: NeuromorphicException | None


class NeuromorphicClusterer(Estimator):
    """Cluster the rows of a table or a set of time series.

    Series become features by a dictionary of winner-take-all spiking units, by echo state
    reservoirs on delay lines, or by a spiking liquid; sixteen members cluster random parts
    of the features and vote. Rows of a table become a population code, whose principal
    components are clustered; nothing is random about it and no time axis is made up, so on
    tables the methods agree. Where the features fail, K-means on the raw data steps in, and
    `fallback_used` says so.

    The same seed gives the same labels, bit for bit, on any number of threads of a machine;
    what `predict` and `transform` say of a sample depends neither on the batch nor on its
    order.

    Parameters
    ----------
    method : str or NeuromorphicClusteringMethod, default='hybrid_reservoir'
        'spiking_neural_network' ('snn'), 'echo_state_network' ('esn'),
        'liquid_state_machine' ('lsm') or 'hybrid_reservoir' ('hybrid'), the vote of the
        first two.
    n_clusters : int or None, default=4
        Clusters to find. `None`: 2 to 12, by silhouette; see `selection_`.
    random_state : int, None or NumPy generator, default=42
    esn_params, snn_params, lsm_params : dict, optional
        Override the parameters of the features; an unknown key raises and lists the known.
    enable_fallback : bool, default=True
        Whether an error other than bad input ends in K-means on the raw data.
    circuit_breaker_config : object, optional
        Stored.
    enable_gpu : bool, optional
        Accepted; every fit runs on the CPU, as `device_` says.
    enable_caching, cache_ttl
        Stored.
    optimization_level : {'conservative', 'balanced', 'aggressive'}, default='balanced'
        Stored.
    layout : {'ntc', 'nct'}, default='ntc'
        Order of sample, time and channel in three-dimensional input; 'nct' is the habit of
        aeon and sktime.
    forgetting : float, default=0.0
        Share of the weight of earlier samples that `partial_fit` drops with each call.
    n_jobs : int or None, default=None
        Threads; `None` and -1 stand for all this process may use.
    max_seconds : float or None, default=None
        Time budget of a fit; when it is used up the features have failed.
    progress : bool or None, default=None
        Show a progress bar (needs tqdm) on fits longer than a second. `None`: on a terminal.

    Attributes
    ----------
    labels_ : ndarray of int64, shape (n_samples,)
    n_clusters_ : int
    cluster_centers_ : ndarray of shape (n_clusters, dimensions)
        In the space in which the clusters are, not in that of the data.
    selection_ : Selection or None
        For ``n_clusters=None``: candidates, scores and the confidence of the choice.
    ignored_columns_ : list of str
        Columns of a DataFrame that were not clustered.
    imputed_ : int
        Missing values that were filled in.
    device_ : str
        'cpu'.
    n_features_in_ : int
        Columns of a table, channels of series.

    Raises
    ------
    InvalidClusteringInputError
        From `fit`, if the data cannot be used. A `ValueError`; never hidden by the fallback.
    InvalidParameterError
        From `fit`, if a parameter is outside its domain.
    NeuromorphicException
        From `fit`, if the features failed and `enable_fallback` is false.

    Examples
    --------
    >>> import numpy as np
    >>> from holdfast import NeuromorphicClusterer
    >>> time = np.arange(100)
    >>> series = [np.sin(time / (3 if i % 2 else 9) + i) for i in range(20)]
    >>> clusterer = NeuromorphicClusterer(n_clusters=2).fit(series)
    >>> labels = clusterer.get_cluster_assignments()
    >>> bool((labels[::2] == labels[0]).all() and labels[0] != labels[1])
    True
    >>> clusterer.fallback_used
    False
    """

    def __init__(
        self,
        method: str | NeuromorphicClusteringMethod = "hybrid_reservoir",
        n_clusters: int | None = 4,
        random_state: Any = 42,
        esn_params: dict[str, Any] | None = None,
        snn_params: dict[str, Any] | None = None,
        lsm_params: dict[str, Any] | None = None,
        enable_fallback: bool = True,  # noqa: FBT001, FBT002 (the contract's order)
        circuit_breaker_config: Any = None,
        enable_gpu: bool | None = None,  # noqa: FBT001
        enable_caching: bool | None = None,  # noqa: FBT001
        cache_ttl: float | None = None,
        optimization_level: str = "balanced",
        *,
        layout: str = "ntc",
        forgetting: float = 0.0,
        n_jobs: int | None = None,
        max_seconds: float | None = None,
        progress: bool | None = None,
    ) -> None:
        self.method = method
        self.n_clusters = n_clusters
        self.random_state = random_state
        self.esn_params = esn_params
        self.snn_params = snn_params
        self.lsm_params = lsm_params
        self.enable_fallback = enable_fallback
        self.circuit_breaker_config = circuit_breaker_config
        self.enable_gpu = enable_gpu
        self.enable_caching = enable_caching
        self.cache_ttl = cache_ttl
        self.optimization_level = optimization_level
        self.layout = layout
        self.forgetting = forgetting
        self.n_jobs = n_jobs
        self.max_seconds = max_seconds
        self.progress = progress

    # --- learning ------------------------------------------------------------------------
    def fit(self, features: Any, y: object = None) -> Self:
        """Learn the clusters of `features`.

        Parameters
        ----------
        features : DataFrame, array or list
            DataFrame (pandas or polars): the columns red_energy, blue_energy, green_energy
            and yellow_energy if there are any of them, else all numeric ones. 2-D array:
            rows are samples. 3-D array (samples, time, channels), or a list of (time,) or
            (time, channels) arrays of any lengths: series. Up to half of a column, or of a
            channel of a series, may be missing (NaN) and is filled in.
        y : object
            Ignored.
        """
        del y
        method, k, number = self._checked()
        begun = time.monotonic()
        data, columns, channels, filled = self._read(features, None)
        n = len(data)
        if k is not None and k > n:
            raise InvalidClusteringInputError(
                f"n_samples={n} should be >= n_clusters={k}.",
                context={"n_samples": n, "n_clusters": k},
            )
        error: NeuromorphicException | None = None
        model: Model | RawModel
        with _Progress(self.progress) as progress:
            limits = self._limits(begun, progress)
            try:
                model = Model.fit(
                    data,
                    method=method,
                    n_clusters=k,
                    seed=number,
                    esn=self.esn_params,
                    snn=self.snn_params,
                    lsm=self.lsm_params,
                    limits=limits,
                )
            except (InvalidParameterError, InvalidDataError):
                raise
            except Exception as cause:
                error = _wrapped(cause)
                if not self.enable_fallback:
                    raise error from cause
                error.__cause__ = cause
                model = self._fall_back(data, k, number, error)
        self._fit = _Fit(
            model,
            data,
            columns,
            channels,
            filled,
            number,
            time.monotonic() - begun,
            error,
        )
        self._remember(features, columns, channels)
        self._warn_of_empty(len(np.unique(model.labels)))
        return self

    def _fall_back(
        self, data: Rows | Sequences, k: int | None, number: int, error: Exception
    ) -> RawModel:
        try:
            fallback = min(k or 4, len(data))
            return RawModel.fit(data, fallback, number, threads(self.n_jobs))
        except Exception as second:
            raise NeuromorphicException(
                f"the features failed ({error}), and so did the fallback ({second})",
                NeuromorphicErrorType.RESOURCE_ERROR,
                context={"fallback_error": repr(second)},
                recoverable=False,
            ) from second

    def partial_fit(self, features: Any, y: object = None) -> Self:
        """Move the clusters towards new samples; the first call is `fit`.

        Features and members stay as the first call fitted them; each centre is the mean of
        its samples, those of earlier calls weighing `1 - forgetting` times as much with
        every call. `labels_` are those of this call.
        """
        if not hasattr(self, "_fit"):
            return self.fit(features, y)
        forgetting = self.forgetting
        if not (isinstance(forgetting, (int, float)) and 0 <= forgetting <= 1):
            raise InvalidParameterError(
                f"forgetting must be a number in [0, 1], got {forgetting!r}"
            )
        model = self._fit.model
        if isinstance(model, RawModel):
            raise InvalidDataError(
                "partial_fit needs fitted features, but the fallback was used: "
                f"{self.last_error}"
            )
        data, _, _, filled = self._read(features, self._fit)
        model.partial_fit(data, float(forgetting), self._limits(time.monotonic()))
        self._fit.data, self._fit.filled = data, filled
        return self

    def fit_predict(self, features: Any, y: object = None) -> NDArray[np.int64]:
        """Fit and return `labels_`."""
        return self.fit(features, y).labels_

    def fit_transform(self, features: Any, y: object = None) -> NDArray[np.float32]:
        """Fit and return the features of the same samples."""
        self.fit(features, y)
        return self._model.transform(self._fit.data, self._limits(time.monotonic()))

    # --- using -----------------------------------------------------------------------------
    def predict(self, features: Any) -> NDArray[np.int64]:
        """Return the cluster of each sample, shape (n_samples,)."""
        model = self._model
        data = self._read(features, self._fit)[0]
        return model.predict(data, self._limits(time.monotonic()))

    def transform(self, features: Any) -> NDArray[np.float32]:
        """Return the features, shape (n_samples, n_features_out), before any reduction."""
        model = self._model
        data = self._read(features, self._fit)[0]
        return model.transform(data, self._limits(time.monotonic()))

    def score(self, features: Any, y: object = None) -> float:
        """Return the mean silhouette of the predicted clusters, in their space.

        0 if all samples are in one cluster or each in its own.
        """
        del y
        model = self._model
        data = self._read(features, self._fit)[0]
        places = model.embed(data, self._limits(time.monotonic()))
        labels = _core.nearest_center(places, model.centers)
        if not 1 < len(np.unique(labels)) < len(labels):
            return 0.0
        return silhouette_score(places, labels)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the columns of `transform`."""
        model = self._model
        if input_features is not None:
            given = [str(name) for name in input_features]
            seen = getattr(self, "feature_names_in_", None)
            if seen is not None and list(seen) != given:
                raise InvalidDataError("input_features is not equal to feature_names_in_")
            if len(given) != self.n_features_in_:
                raise InvalidDataError(
                    "input_features should have length equal to number of features "
                    f"({self.n_features_in_}), got {len(given)}"
                )
        return np.asarray(model.feature_names, dtype=object)

    def get_cluster_assignments(self) -> NDArray[np.int64]:
        """Return the cluster of each training sample, 0 to n_clusters - 1."""
        return self.labels_.copy()

    def get_clustering_metrics(self) -> ClusteringMetrics:
        """Measure the fit; the stability refits ten subsamples, which takes a while."""
        model, fit = self._model, self._fit
        method = self._checked()[0]
        limits = self._limits(time.monotonic())

        def refit(data: Rows | Sequences, number: int) -> NDArray[np.int64]:
            k = model.n_clusters
            if isinstance(model, RawModel):
                return RawModel.fit(data, k, number, threads(self.n_jobs)).labels
            return Model.fit(
                data,
                method=method,
                n_clusters=k,
                seed=number,
                esn=self.esn_params,
                snn=self.snn_params,
                lsm=self.lsm_params,
                limits=limits,
            ).labels

        return measure(
            fit.data,
            model.labels,
            model.embed(fit.data, limits),
            fit.seconds,
            lambda data: model.predict(data, limits),
            refit,
        )

    def get_cluster_interpretation(self) -> dict[int, dict[str, Any]]:
        """Describe every cluster; what by, depends on the data (see the documentation)."""
        model = self._model
        return interpret(self._fit.data, model.labels, model.n_clusters)

    def plot(self, kind: str = "auto", ax: Any = None) -> Any:
        """Draw the samples in the space of the clusters, and the clusters' profiles.

        Parameters
        ----------
        kind : {'auto', 'embedding', 'profiles'}
        ax : matplotlib Axes, optional

        Returns
        -------
        Axes, or an array of two for 'auto' without `ax`.
        """
        model, data = self._model, self._fit.data
        places = model.embed(data, self._limits(time.monotonic()))
        return draw(data, model.labels, places, kind, ax)

    # --- saving ----------------------------------------------------------------------------
    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted clusterer to `path` (zip of .npy and JSON; no pickle).

        All or nothing: the file is written beside `path`, synced and renamed.
        """
        fit, model = self._fit_or_raise(), self._model
        parameters = {}
        for name, value in self.get_params().items():
            plain = value.value if isinstance(value, enum.Enum) else value
            if not _is_plain(plain):
                raise InvalidParameterError(
                    f"{name} cannot be saved: it must be made of numbers, strings, lists "
                    f"and dicts, got {value!r}"
                )
            parameters[name] = plain
        columns = None if fit.columns is None else vars(fit.columns)
        page = {
            "library": version("holdfast"),
            "model": "raw" if isinstance(model, RawModel) else "consensus",
            "parameters": parameters,
            "settings": model.settings(),
            "columns": columns,
            "channels": fit.channels,
            "filled": fit.filled,
            "seed": str(fit.seed),
            "seconds": fit.seconds,
            "error": None if fit.error is None else fit.error.message,
            "error_type": None if fit.error is None else fit.error.error_type.value,
            "names_in": list(getattr(self, "feature_names_in_", [])) or None,
            "features_in": self.n_features_in_,
            "data_names": fit.data.names if isinstance(fit.data, Rows) else None,
        }
        arrays = {f"model.{name}": array for name, array in model.arrays().items()}
        arrays["data.values"] = fit.data.values
        if isinstance(fit.data, Sequences):
            arrays["data.lengths"] = fit.data.lengths
        _persistence.write(path, page, arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Return the clusterer saved at `path`.

        Raises
        ------
        InvalidDataError
            If the file is damaged, of a newer format, or not a saved clusterer.
        """
        page, arrays = _persistence.read(path)
        try:
            return cls._restored(page, arrays)
        except (KeyError, TypeError) as error:
            raise InvalidDataError(f"{path} is incomplete: {error}") from error

    @classmethod
    def _restored(cls, page: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Self:
        parameters = page["parameters"]
        esn = parameters.get("esn_params")
        if esn and isinstance(esn.get("leaking_rate"), list):
            esn["leaking_rate"] = tuple(esn["leaking_rate"])
        clusterer = cls(**parameters)
        own = {
            name.removeprefix("model."): array
            for name, array in arrays.items()
            if name.startswith("model.")
        }
        kind = RawModel if page["model"] == "raw" else Model
        model = kind.restore(own, page["settings"])
        data: Rows | Sequences
        if page["data_names"] is None:
            data = Sequences(arrays["data.values"], arrays["data.lengths"])
        else:
            data = Rows(arrays["data.values"], page["data_names"])
        columns = page["columns"]
        error = None
        if page["error"] is not None:
            error = NeuromorphicException(
                page["error"], NeuromorphicErrorType(page["error_type"])
            )
        clusterer._fit = _Fit(
            model,
            data,
            None if columns is None else _input.Columns(**columns),
            page["channels"],
            page["filled"],
            int(page["seed"]),
            page["seconds"],
            error,
        )
        clusterer.n_features_in_ = page["features_in"]
        if page["names_in"] is not None:
            clusterer.feature_names_in_ = np.asarray(page["names_in"], dtype=object)
        return clusterer

    # --- fitted state ------------------------------------------------------------------------
    @property
    def labels_(self) -> NDArray[np.int64]:
        """Cluster of each training sample."""
        return self._model.labels

    @property
    def cluster_labels(self) -> NDArray[np.int64] | None:
        """`labels_`, or `None` before `fit`."""
        return self._model.labels if self.trained else None

    @property
    def n_clusters_(self) -> int:
        """Clusters that were found."""
        return self._model.n_clusters

    @property
    def cluster_centers_(self) -> NDArray[np.float64]:
        """Centres, in the space in which the clusters are."""
        return self._model.centers

    @property
    def cluster_centroids(self) -> NDArray[np.float64]:
        """`cluster_centers_`."""
        return self.cluster_centers_

    @property
    def feature_data(self) -> NDArray[np.float64] | None:
        """The values that were clustered, or `None` before `fit`."""
        return self._fit.data.values if self.trained else None

    @property
    def selection_(self) -> Any:
        """How the number of clusters was chosen; `None` if it was given."""
        return self._model.selection

    @property
    def ignored_columns_(self) -> list[str]:
        """Columns of a DataFrame that were not clustered."""
        columns = self._fit_or_raise().columns
        return [] if columns is None else list(columns.ignored)

    @property
    def imputed_(self) -> int:
        """Missing values that were filled in."""
        return self._fit_or_raise().filled

    @property
    def device_(self) -> str:
        """Where the fit ran: always 'cpu'."""
        self._check_is_fitted()
        return "cpu"

    @property
    def trained(self) -> bool:
        """Whether there has been a fit."""
        return hasattr(self, "_fit")

    @property
    def fallback_used(self) -> bool:
        """Whether the last fit ended in K-means on the raw data."""
        return self.trained and isinstance(self._fit.model, RawModel)

    @property
    def last_error(self) -> NeuromorphicException | None:
        """Why the last fit used the fallback."""
        return self._fit.error if self.trained else None

    # --- inside ------------------------------------------------------------------------------
    @property
    def _model(self) -> Model | RawModel:
        return self._fit_or_raise().model

    def _fit_or_raise(self) -> _Fit:
        self._check_is_fitted()
        return self._fit

    def __sklearn_is_fitted__(self) -> bool:
        """Whether `fit` has been called."""
        return self.trained

    def __sklearn_tags__(self) -> Tags:
        """Describe the estimator to scikit-learn."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.three_d_array = True
        if tags.transformer_tags is not None:
            tags.transformer_tags.preserves_dtype = []
        return tags

    def _repr_html_(self) -> str:
        """Show a summary in a notebook."""
        if not self.trained:
            return f"<code>{self!r}</code>"
        model = self._model
        sizes = np.bincount(model.labels, minlength=model.n_clusters).tolist()
        rows = {
            "samples": str(len(self._fit.data)),
            "seconds": f"{self._fit.seconds:.2f}",
        }
        if self.fallback_used:
            rows["fallback"] = f"K-means, because of {self.last_error}"
        if self.ignored_columns_:
            rows["ignored columns"] = ", ".join(self.ignored_columns_)
        return summary_html(repr(self), rows, sizes)

    def _checked(self) -> tuple[str, int | None, int]:
        """Method, number of clusters and seed, all within their domains."""
        method = self.method
        name = method.value if isinstance(method, enum.Enum) else method
        name = _SHORT.get(name, name) if isinstance(name, str) else name
        known = [m.value for m in NeuromorphicClusteringMethod]
        if name not in known:
            raise InvalidParameterError(
                f"method must be one of {known} or {list(_SHORT)}, got {method!r}"
            )
        k = self.n_clusters
        whole = isinstance(k, (int, np.integer)) and not isinstance(k, bool)
        if k is not None and not (whole and k >= 1):
            raise InvalidParameterError(
                f"n_clusters must be None or an integer of at least 1, got {k!r}"
            )
        for given, value, allowed in (
            ("layout", self.layout, _LAYOUTS),
            ("optimization_level", self.optimization_level, _LEVELS),
        ):
            if value not in allowed:
                raise InvalidParameterError(f"{given} must be one of {allowed}, got {value!r}")
        budget = self.max_seconds
        if budget is not None and not (isinstance(budget, (int, float)) and budget > 0):
            raise InvalidParameterError(
                f"max_seconds must be None or a number above 0, got {budget!r}"
            )
        threads(self.n_jobs)
        return str(name), None if k is None else int(k), seed(self.random_state)

    def _limits(
        self, begun: float, progress: Callable[[int, int], object] | None = None
    ) -> Callable[[], Limits]:
        count, budget = threads(self.n_jobs), self.max_seconds

        def left() -> Limits:
            if budget is None:
                return Limits(count, None, progress)
            seconds = begun + budget - time.monotonic()
            if seconds <= 0:
                raise TimeBudgetError(f"max_seconds={budget} s are used up")
            return Limits(count, seconds, progress)

        return left

    def _read(
        self, X: Any, fit: _Fit | None
    ) -> tuple[Rows | Sequences, _input.Columns | None, int, int]:
        """Checked data, its columns or channels, and how many values were filled in."""
        if X is None:
            raise InvalidClusteringInputError("X is None; data is required")
        series = _input.is_series(X)
        if fit is not None and series != isinstance(fit.data, Sequences):
            kinds = ("a table", "series")
            raise InvalidClusteringInputError(
                f"X is {kinds[series]}, but the clusterer was fitted on {kinds[not series]}"
            )
        if series:
            channels = None if fit is None else fit.channels
            sequences, filled = _input.read_series(X, self.layout, channels)
            return sequences, None, sequences.values.shape[1], filled
        columns = None if fit is None else fit.columns
        if fit is not None and columns is not None:
            width = X.shape if hasattr(X, "shape") else np.asarray(X).shape
            named = hasattr(X, "columns")
            lenient = named and columns.ignored
            if not lenient and len(width) == 2:  # noqa: PLR2004
                self._check_names(X)
                self._check_width(width[1])
        rows, columns, filled = _input.read_rows(X, columns)
        return rows, columns, rows.values.shape[1], filled

    def _remember(self, X: Any, columns: _input.Columns | None, channels: int) -> None:
        if columns is None:
            self.n_features_in_ = channels
            if hasattr(self, "feature_names_in_"):
                del self.feature_names_in_
        else:
            self._learn_features(X, len(columns.names))

    def _warn_of_empty(self, found: int) -> None:
        wanted = self._model.n_clusters
        if found < wanted:
            import warnings  # noqa: PLC0415

            warnings.warn(
                f"found {found} clusters, fewer than n_clusters={wanted}: X may have too "
                "few different samples",
                FewerClustersWarning,
                stacklevel=3,
            )


class _Progress:
    """A bar on standard error, for fits that take longer than a second."""

    def __init__(self, wanted: bool | None) -> None:  # noqa: FBT001
        self._begun = time.monotonic()
        self._bar: Any = None
        self._wanted = sys.stderr.isatty() if wanted is None else wanted

    def __enter__(self) -> Callable[[int, int], object] | None:
        return self._show if self._wanted else None

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def _show(self, done: int, announced: int) -> None:
        if time.monotonic() - self._begun < _BAR_AFTER:
            return
        if self._bar is None:
            try:
                from tqdm import tqdm  # noqa: PLC0415
            except ImportError:
                self._begun = float("inf")
                return
            self._bar = tqdm(desc="fit", unit="step", leave=False)
        self._bar.total = announced
        self._bar.n = done
        self._bar.refresh()


_KINDS: tuple[tuple[type[BaseException], NeuromorphicErrorType], ...] = (
    (TimeoutError, NeuromorphicErrorType.TIMEOUT_ERROR),
    (MemoryError, NeuromorphicErrorType.MEMORY_ERROR),
    (ArithmeticError, NeuromorphicErrorType.STABILITY_ERROR),
)


def _wrapped(cause: Exception) -> NeuromorphicException:
    if isinstance(cause, NeuromorphicException):
        return cause
    kind = NeuromorphicErrorType.RESOURCE_ERROR
    for cls, found in _KINDS:
        if isinstance(cause, cls):
            kind = found
    return NeuromorphicException(
        f"{type(cause).__name__}: {cause}",
        kind,
        context={"original_exception": repr(cause)},
    )


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(k, str) and _is_plain(v) for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return all(_is_plain(v) for v in value)
    return value is None or isinstance(value, (bool, int, float, str))
