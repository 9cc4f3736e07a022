"""Assessments from a CSV file to clusters; only the imports name Holdfast."""

import json

import numpy as np
import pandas as pd
import pytest

from holdfast.compat.insights_clustering import (
    DataValidator,
    InsightsDataParser,
    NeuromorphicClusterer,
)
from holdfast.errors import InvalidDataError, InvalidParameterError, MissingValuesWarning
from holdfast.telemetry import expose

ENERGIES = ["red_energy", "blue_energy", "green_energy", "yellow_energy"]
HEADER = ",".join(["employee_id", *ENERGIES])


@pytest.fixture
def written(tmp_path):
    def write(*rows, header=HEADER):
        path = tmp_path / "people.csv"
        path.write_text("\n".join([header, *rows]) + "\n")
        return path

    return write


# --- reading ----------------------------------------------------------------------------
def test_rows_are_scaled_to_100_and_the_rest_stays(written):
    header = HEADER.replace(",", ",team,", 1)
    path = written("E1,x,45,30,15,10", "E2,y,1,1,1,1", header=header)
    parser = InsightsDataParser()
    table = parser.parse_csv(str(path))
    assert table is parser.data
    assert list(table.columns) == ["employee_id", "team", *ENERGIES]
    assert table[ENERGIES].to_numpy().tolist() == [[45, 30, 15, 10], [25, 25, 25, 25]]
    features, metadata = parser.get_clustering_features(), parser.get_employee_metadata()
    assert list(features.columns) == ENERGIES
    assert metadata.to_numpy().tolist() == [["E1", "x"], ["E2", "y"]]
    features.iloc[0, 0] = -1
    assert table.iloc[0, 2] == 45


def test_the_other_names_of_the_energies_are_read(written):
    path = written(
        "E1,40,30,20,10", header="employee_id,fiery_red,sunshine_yellow,earth_green,cool_blue"
    )
    (row,) = InsightsDataParser().parse_csv(path).to_dict("records")
    assert [row[name] for name in ENERGIES] == [40, 10, 20, 30]


BAD = {
    "a column less": (["E1,1,2,3"], "employee_id,red_energy,blue_energy,green_energy",
                      r"Missing required columns: \['yellow_energy'\]"),
    "no rows": ([], HEADER, "must have rows"),
    "text": (["E1,1,2,3,4", "E2,1,many,3,4"], HEADER, "in blue_energy, see rows 2"),
    "infinite": (["E1,inf,2,3,4"], HEADER, "in red_energy, see rows 1"),
    "negative": (["E1,50,50,50,-50"], HEADER, "negative, see rows 1"),
    "sum 0": (["E1,1,2,3,4", "E2,0,0,0,0"], HEADER, "sum to 0.*rows 2"),
    "a column that is empty": (["E1,,2,3,4"], HEADER, "missing in a whole column.*rows 1"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::holdfast.errors.MissingValuesWarning")
@pytest.mark.parametrize(("rows", "header", "said"), BAD.values(), ids=BAD)
def test_what_cannot_be_used_is_refused_with_its_rows(rows, header, said, written):
    path = written(*rows, header=header)
    with pytest.raises(ValueError, match=said):
        InsightsDataParser().parse_csv(path)


def test_files_that_are_not_there_or_too_large(written, tmp_path):
    with pytest.raises(FileNotFoundError):
        InsightsDataParser().parse_csv(tmp_path / "none.csv")
    with pytest.raises(InvalidDataError, match="at most 1e-05 MB"):
        InsightsDataParser(max_megabytes=1e-5).parse_csv(written("E1,1,2,3,4"))
    with pytest.raises(InvalidParameterError, match="max_megabytes"):
        InsightsDataParser(max_megabytes=0)


def test_gaps_are_filled_and_told(written):
    path = written("E1,40,20,20,20", ",9,9,9,9", "E3,20,,20,20", "E4,120,40,40,40")
    with pytest.warns(MissingValuesWarning) as told:
        table = InsightsDataParser().parse_csv(path)
    assert [str(w.message).split(":")[0] for w in told] == [
        "1 rows without an employee_id were left out",
        "1 rows have energies above 100",
        "1 rows have missing energies",
    ]
    assert table["employee_id"].tolist() == ["E1", "E3", "E4"]
    assert table[ENERGIES].sum(axis=1).round(1).tolist() == [100.0] * 3


def test_without_validation_the_file_is_read_as_it_is(written):
    path = written("E1,50,50,50,-50")
    assert InsightsDataParser(validate_data=False).parse_csv(path)["yellow_energy"][0] == -50


def test_nothing_to_give_before_reading():
    for ask in ("get_clustering_features", "get_employee_metadata"):
        with pytest.raises(ValueError, match="parse_csv"):
            getattr(InsightsDataParser(), ask)()


def test_from_the_file_to_clusters(energies, tmp_path):
    energies.insert(0, "employee_id", [f"E{i}" for i in range(len(energies))])
    energies.to_csv(tmp_path / "people.csv", index=False)
    parser = InsightsDataParser()
    parser.parse_csv(tmp_path / "people.csv")
    clusterer = NeuromorphicClusterer(n_clusters=4).fit(parser.get_clustering_features())
    assert len(set(clusterer.get_cluster_assignments())) == 4


# --- judging ----------------------------------------------------------------------------
@pytest.fixture
def people():
    rng = np.random.default_rng(0)
    shares = rng.dirichlet([5, 5, 5, 5], 40) * 100
    table = pd.DataFrame(shares, columns=ENERGIES)
    table.insert(0, "employee_id", [f"E{i}" for i in range(40)])
    return table


def test_a_good_table(people):
    validator = DataValidator()
    assert validator.validation_results == {}
    told = validator.validate_data_quality(people)
    assert told is validator.validation_results
    assert told == {
        "is_valid": True,
        "warnings": [],
        "errors": [],
        "quality_score": 100,
        "metrics": {
            "total_records": 40,
            "complete_records": 40,
            "duplicate_records": 0,
            "data_completeness": 100.0,
        },
    }
    assert validator.suggest_data_improvements(people) == []
    json.dumps(told)


SPOILT = {
    "an id twice": (lambda t: t.assign(employee_id="E0"), 1, 0),
    "no ids": (lambda t: t.drop(columns="employee_id"), 1, 0),
    "few gaps": (lambda t: t.assign(red_energy=t.red_energy.where(t.index > 0)), 0, 1),
    "many gaps": (lambda t: t.assign(note=[None] * 20 + ["x"] * 20), 1, 0),
    "outside": (lambda t: t.assign(red_energy=[150.0, *t.red_energy[1:]]), 0, 2),
    "no row": (lambda t: t.iloc[:0], 1, 0),
}


@pytest.mark.parametrize(("spoil", "errors", "warned"), SPOILT.values(), ids=SPOILT)
def test_what_is_wrong_is_counted(spoil, errors, warned, people):
    validator = DataValidator()
    told = validator.validate_data_quality(spoil(people))
    assert (len(told["errors"]), len(told["warnings"])) == (errors, warned)
    assert told["is_valid"] is (errors == 0)
    assert told["quality_score"] == 100 - 20 * errors - 5 * warned
    json.dumps(told)


def test_suggestions_name_what_to_do(people):
    people.loc[:11, "red_energy"] = np.nan
    people.loc[20:22, "green_energy"] = 400.0
    people.loc[5, "employee_id"] = "E4"
    told = "\n".join(DataValidator().suggest_data_improvements(people))
    for word in ("validate_data_quality", "missing", "1 repeated", "outliers of green_energy"):
        assert word in told


def test_a_profile_is_plain(people):
    people["team"] = ["a"] * 30 + ["b"] * 9 + [None]
    told = DataValidator().get_data_profile(people)
    assert (told["shape"], told["columns"][-1]) == ((40, 6), "team")
    assert set(told) == {
        "shape",
        "columns",
        "dtypes",
        "memory_usage",
        "numeric_summary",
        "categorical_summary",
    }
    red = told["numeric_summary"]["red_energy"]
    assert red["mean"] == pytest.approx(people["red_energy"].mean())
    assert (red["null_count"], red["unique_count"]) == (0, 40)
    team = told["categorical_summary"]["team"]
    assert team == {"unique_count": 2, "top_values": {"a": 30, "b": 9}, "null_count": 1}
    json.dumps(told)


@pytest.mark.parametrize("ask", ["validate_data_quality", "get_data_profile"])
def test_other_than_frames_are_refused(ask):
    with pytest.raises(ValueError, match="must be a pandas DataFrame"):
        getattr(DataValidator(), ask)([1, 2])


# --- what is counted --------------------------------------------------------------------
def counted(name):
    lines = expose().decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(name))


def test_records_tables_and_their_quality_are_series(written):
    names = (
        'employee_records_processed_total{source="csv"}',
        'data_processing_items_processed_total{operation_type="parse_csv"}',
        'data_processing_duration_seconds_count{operation_type="parse_csv"',
        'data_processing_duration_seconds_count{operation_type="validate"',
        "insights_data_validation_failures_total",
    )
    before = [counted(name) for name in names]
    parser, validator = InsightsDataParser(), DataValidator()
    table = parser.parse_csv(written("E1,40,30,20,10", "E2,10,20,30,40"))
    validator.validate_data_quality(table)
    quality = 'data_quality_score{dataset="main",validation_type="overall"}'
    assert counted(quality) == validator.validation_results["quality_score"] > 0
    validator.validate_data_quality(table.iloc[:0])
    after = [counted(name) for name in names]
    assert [b - a for a, b in zip(before, after, strict=True)] == [2, 2, 1, 2, 1]
    assert counted(quality) == validator.validation_results["quality_score"]
