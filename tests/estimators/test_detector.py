"""The detector as an estimator: signs, offset, pipelines, saving, and PyOD's vocabulary."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from narrows import AnomalyDetector
from narrows.errors import DamagedError, ModelError
from narrows.estimators import PyODAnomalyDetector

STEPS = (60, 60)


@pytest.fixture(scope="module")
def rows():
    return np.random.default_rng(0).normal(size=(400, 5))


@pytest.fixture(scope="module")
def fitted(rows):
    return AnomalyDetector(steps=STEPS).fit(rows)


def test_the_share_asked_for_is_called_odd_and_no_score_depends_on_it(rows, fitted):
    wide = AnomalyDetector(0.25, steps=STEPS).fit(rows)
    assert (wide.predict(rows) == -1).sum() == 100
    assert (fitted.predict(rows) == -1).sum() == 4
    np.testing.assert_array_equal(wide.score_samples(rows), fitted.score_samples(rows))


def test_odd_rows_score_low(rows, fitted):
    far = rows[:5] + np.array([0, 0, 9, 0, 0])
    assert fitted.score_samples(far).max() < fitted.score_samples(rows).min()
    assert (fitted.decision_function(far) < 0).all()
    assert (fitted.explain(far).argmax(1) == 2).all()
    np.testing.assert_allclose(fitted.explain(far).sum(1), -fitted.score_samples(far), rtol=1e-6)
    assert fitted.expected(far).shape == far.shape


@pytest.mark.parametrize("contamination", [0, 0.6, -1, "some"])
def test_shares_that_cannot_be_are_refused(rows, contamination):
    with pytest.raises(ValueError, match=r"at most 0\.5"):
        AnomalyDetector(contamination, steps=STEPS).fit(rows)


@pytest.mark.parametrize("wrong", [{"trim": 1}, {"n_networks": 0}, {"noise": -1}, {"steps": (9, 3)}, {"epochs": 0}])
def test_parameters_that_cannot_be_are_refused_by_name(rows, wrong):
    with pytest.raises(ValueError, match=next(iter(wrong)).split("_")[-1]):
        AnomalyDetector(**wrong).fit(rows)


def test_clone_pipeline_and_search(rows):
    pipeline = make_pipeline(StandardScaler(), AnomalyDetector(steps=STEPS))
    assert set(pipeline.fit(rows).predict(rows)) == {-1, 1}
    y = np.where(np.abs(rows).max(1) > 2.5, -1, 1)
    search = GridSearchCV(AnomalyDetector(steps=STEPS), {"trim": [0.0, 0.1]}, scoring="roc_auc", cv=2)
    assert search.fit(rows, y).best_score_ > 0.7
    assert clone(search.best_estimator_).get_params() == search.best_estimator_.get_params()


def test_it_is_saved_and_copied_without_pickle_of_ours(rows, fitted, tmp_path):
    state = fitted.__getstate__()
    assert {type(value) for value in state["detector_"].values()} == {bytes}
    for again in (
        AnomalyDetector.load(fitted.save(tmp_path)), pickle.loads(pickle.dumps(fitted)), copy.deepcopy(fitted)
    ):  # fmt: skip
        assert again.get_params() == fitted.get_params()
        assert again.offset_ == fitted.offset_
        np.testing.assert_array_equal(again.decision_function(rows), fitted.decision_function(rows))


def test_damaged_folders_are_refused(fitted, tmp_path):
    with pytest.raises(ModelError):
        AnomalyDetector.load(tmp_path)
    for content in ("[]", '{"params": {"sped": 1, "steps": [1, 2]}, "offset": 1}', '{"params": {}}'):
        fitted.save(tmp_path)
        (tmp_path / "estimator.json").write_text(content)
        with pytest.raises(DamagedError):
            AnomalyDetector.load(tmp_path)
    with pytest.raises(NotFittedError):
        AnomalyDetector().save(tmp_path)


def test_names_of_columns_are_kept_and_held_to(rows, tmp_path):
    import pyarrow

    names = list("abcde")
    table = pyarrow.table(dict(zip(names, rows.T.copy(), strict=True)))
    again = AnomalyDetector.load(AnomalyDetector(steps=STEPS).fit(table).save(tmp_path))
    assert again.feature_names_in_.tolist() == names
    with pytest.raises(ValueError, match="feature names"):
        again.predict(table.rename_columns(names[::-1]))


def test_pyods_vocabulary(rows):
    detector = PyODAnomalyDetector(contamination=0.05, steps=STEPS).fit(rows)
    far = rows[:3] + 9
    assert detector.labels_.sum() == 20
    assert ((detector.decision_scores_ > detector.threshold_) == (detector.labels_ == 1)).all()
    np.testing.assert_array_equal(detector.decision_function(rows), detector.decision_scores_)
    assert detector.predict(far).tolist() == [1, 1, 1]
    assert (detector.decision_function(far) > detector.decision_scores_.max()).all()
    assert (clone(detector).fit_predict(rows) == detector.labels_).all()
    for method in ("linear", "unify"):
        likely = detector.predict_proba(np.concatenate([rows, far]), method=method)
        np.testing.assert_allclose(likely.sum(1), 1)
        assert likely.min() >= 0
        assert (likely[-3:, 1] == likely[:, 1].max()).all()
    with pytest.raises(ValueError, match="linear or unify"):
        detector.predict_proba(rows, method="other")
