"""In a scikit-learn pipeline and a grid search over the number of clusters."""

from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PowerTransformer

from holdfast import NeuromorphicClusterer
from holdfast.clustering import adjusted_rand_score
from holdfast.datasets import load_wine

wine = load_wine()

pipeline = make_pipeline(
    PowerTransformer(), NeuromorphicClusterer(n_clusters=3, random_state=0)
)
labels = pipeline.fit_predict(wine.X)
print(f"pipeline: {adjusted_rand_score(wine.y, labels):.3f}")


def agreement(estimator, X, groups):
    return adjusted_rand_score(groups, estimator.predict(X))


search = GridSearchCV(
    clone(pipeline),
    {"neuromorphicclusterer__n_clusters": [2, 3, 4]},
    scoring=agreement,
    cv=3,
)
search.fit(wine.X, wine.y)
print("best number of clusters by agreement with the cultivars:", search.best_params_)
