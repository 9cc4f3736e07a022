"""The clusterer: one call for tables and time series."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast import _core
from holdfast._limits import threads
from holdfast._output import FramedOutput
from holdfast._warnings import warn
from holdfast.clustering._data.arrays import Rows, Sequences
from holdfast.clustering._data.input import described
from holdfast.clustering._data.kept import keep
from holdfast.clustering._fallback import RawModel, fall_back
from holdfast.clustering._fitted import Fit, replaced
from holdfast.clustering._guard import Guard, enhanced_error_handler, out_of_time
from holdfast.clustering._interpretation import interpret
from holdfast.clustering._kernels.scores import silhouette_score
from holdfast.clustering._model import Model
from holdfast.clustering._progress import Progress
from holdfast.clustering._reading import Reading
from holdfast.clustering._report import Reported
from holdfast.clustering._saving import Saved
from holdfast.clustering._watch import Watch, watch
from holdfast.errors import (
    FewerClustersWarning,
    InvalidClusteringInputError,
    InvalidDataError,
    InvalidParameterError,
    NeuromorphicException,
)
from holdfast.errors._parameters import real

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from typing_extensions import Self

    from holdfast.clustering._reading import Read
    from holdfast.resilience import CircuitBreaker


class NeuromorphicClusterer(Saved, Reported, Reading, FramedOutput):
    """Cluster the rows of a table or a set of time series.

    Series become features by a dictionary of winner-take-all spiking units, by echo state
    reservoirs on delay lines, or by a spiking liquid; sixteen members cluster random parts
    of the features and vote. Rows of a table become a population code, whose principal
    components are clustered; nothing is random about it and no time axis is made up, so on
    tables the methods agree. Where the features fail, K-means on the raw data steps in, and
    `fallback_used` says so.

    The same seed gives the same labels, bit for bit, on any number of threads of a machine
    and in whatever order the samples come; what `predict` and `transform` say of a sample
    does not depend on the samples beside it.

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
    circuit_breaker_config : CircuitBreakerConfig, CircuitBreaker or dict, optional
        When fits go to the fallback at once, because those before them failed. By default
        after three failures in a row, for 120 seconds. A breaker can be shared between
        clusterers.
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
        self._watched_fit(features)
        return self

    def _watched_fit(self, features: Any) -> Read:
        request, begun = self._checked(), time.monotonic()
        method, k, _ = request
        try:
            with watch(method, k) as watched:
                with watched.phase("initialization"):
                    read = self._read(features, None)
                self._learn(features, read, request, begun, watched)
        except NeuromorphicException as error:
            # So that its id leads to advice: `enhanced_error_handler`.
            enhanced_error_handler().register(error, {"method": method})
            raise
        self._warn_of_empty(len(np.unique(self.labels_)))
        return read

    def _learn(
        self,
        features: Any,
        read: Read,
        request: tuple[str, int | None, int],
        begun: float,
        watched: Watch,
    ) -> None:
        (data, columns, channels, filled), (method, k, number) = read, request
        n = len(data)
        watched.ended(dataset_size=n, feature_dimensions=channels)
        if k is not None and k > n:
            raise InvalidClusteringInputError(
                f"n_samples={n} should be >= n_clusters={k}.",
                context={"n_samples": n, "n_clusters": k, **described(features)},
            )
        error: NeuromorphicException | None = None
        model: Model | RawModel
        with Progress(self.progress) as progress:
            limits = self._limits(begun, progress)

            def attempt() -> Model:
                return Model.fit(
                    data,
                    method=method,
                    n_clusters=k,
                    seed=number,
                    esn=self.esn_params,
                    snn=self.snn_params,
                    lsm=self.lsm_params,
                    limits=limits,
                    extract=replaced(self._extract_neuromorphic_features_safe, OWN),
                    watched=watched,
                )

            try:
                budget = self.max_seconds
                ends = None if budget is None else begun + budget
                model = self._guarded().call(attempt, ends)
            except NeuromorphicException as failed:
                callers = (InvalidDataError, InvalidParameterError)
                if isinstance(failed, callers) or not self.enable_fallback:
                    raise
                if out_of_time():
                    # The caller has given up: there is nobody to fall back for.
                    raise
                error = failed
                enhanced_error_handler().register(error, {"method": method})
                watched.fell_back(error)
                with watched.phase("fallback"):
                    model = fall_back(data, k, number, threads(self.n_jobs), error)
        with watched.phase("validation"):
            interpretation = interpret(data, model.labels, model.n_clusters)
        self._fit = Fit(
            model,
            keep(data),
            columns,
            channels,
            filled,
            number,
            time.monotonic() - begun,
            error,
            interpretation,
        )
        self._remember(features, columns, channels)

    @property
    def circuit_breaker(self) -> CircuitBreaker:
        """The breaker around the features of this clusterer."""
        return self._guarded().breaker

    def _guarded(self) -> Guard:
        guard: Guard | None = self.__dict__.get("_guard")
        if guard is None or guard.config is not self.circuit_breaker_config:
            guard = self.__dict__["_guard"] = Guard(self.circuit_breaker_config)
        return guard

    def partial_fit(self, features: Any, y: object = None) -> Self:
        """Move the clusters towards new samples; the first call is `fit`.

        Features and members stay as the first call fitted them; each centre is the mean of
        its samples, those of earlier calls weighing `1 - forgetting` times as much with
        every call. `labels_` are those of this call.

        Raises
        ------
        InvalidDataError
            The first call fell back to plain rows, so that there are no fitted features; or the
            data cannot be used, as in `fit`.
        InvalidParameterError
            `forgetting` is no number in [0, 1].
        """
        if not hasattr(self, "_fit"):
            return self.fit(features, y)
        forgetting = real("forgetting", self.forgetting, least=0, most=1)
        model = self._fit.model
        if isinstance(model, RawModel):
            raise InvalidDataError(
                "partial_fit needs fitted features, but the fallback was used: "
                f"{self.last_error}"
            )
        data, _, _, filled = self._read(features, self._fit)
        model.partial_fit(data, forgetting, self._limits(time.monotonic()))
        self._fit.kept, self._fit.filled = keep(data), filled
        self._fit.interpretation = interpret(data, model.labels, model.n_clusters)
        return self

    def fit_predict(self, features: Any, y: object = None) -> NDArray[np.int64]:
        """Fit and return `labels_`."""
        return self.fit(features, y).labels_

    def fit_transform(self, features: Any, y: object = None) -> Any:
        """Fit and return the features of the same samples, as `transform` does."""
        del y
        read = self._watched_fit(features)
        values = self._model.transform(read[0], self._limits(time.monotonic()))
        return self._framed(values, features)

    # --- using -----------------------------------------------------------------------------
    def predict(self, features: Any) -> NDArray[np.int64]:
        """Return the cluster of each sample, shape (n_samples,)."""
        model = self._model
        data = self._read(features, self._fit)[0]
        return model.predict(data, self._limits(time.monotonic()))

    def transform(self, features: Any) -> Any:
        """Return the features, shape (n_samples, n_features_out), before any reduction.

        A float32 array, or what `set_output` asked for.
        """
        model = self._model
        data = self._read(features, self._fit)[0]
        values = model.transform(data, self._limits(time.monotonic()))
        return self._framed(values, features)

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
        """Return the names of the columns of `transform`.

        Raises
        ------
        InvalidDataError
            `input_features` are not the names, or not as many, as were fitted.
        NotFittedError
            Before `fit`.
        """
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

    def _extract_neuromorphic_features_safe(self, matrix: Any) -> NDArray[np.float32]:
        """Features of standardised rows, or of a list of standardised series.

        Before a fit: of a fit of `matrix`. Older tests put a replacement on an instance or the
        class, to make fits fail or cluster their own features; `fit` and `predict` use that.
        """
        if not self.trained:
            alone = type(self)(**self.get_params(deep=False))
            return np.asarray(alone.fit_transform(matrix))
        model, kept = self._model, self._fit.kept
        scale = np.where(model.deviation > 0, model.deviation, 1.0)
        limits = self._limits(time.monotonic())
        if isinstance(kept, Rows):
            rows = np.ascontiguousarray(np.asarray(matrix) * scale + model.mean)
            return model.transform(Rows(rows, kept.names), limits)
        series = [np.asarray(one) * scale + model.mean for one in matrix]
        lengths = np.array([len(one) for one in series], dtype=np.int64)
        joined = np.ascontiguousarray(np.concatenate(series))
        return model.transform(Sequences(joined, lengths), limits)

    # --- inside ------------------------------------------------------------------------------
    def _warn_of_empty(self, found: int) -> None:
        wanted = self._model.n_clusters
        if found < wanted:
            warn(
                f"found {found} clusters, fewer than n_clusters={wanted}: X may have too "
                "few different samples",
                FewerClustersWarning,
            )


OWN = NeuromorphicClusterer._extract_neuromorphic_features_safe  # noqa: SLF001
