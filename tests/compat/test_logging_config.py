"""Loggers with context as older scripts use them."""

import contextlib
import json
import logging
import threading

import pytest

from holdfast.compat.tiny_llm_profiler import logging_config
from holdfast.compat.tiny_llm_profiler.logging_config import (
    JSONFormatter,
    LoggingContextManager,
    PerformanceLogger,
    auto_configure_logging,
    get_logger,
    get_performance_logger,
    log_function_call,
    setup_logging,
)
from holdfast.errors import CategorizedError


@pytest.fixture(autouse=True)
def _as_before():
    yield
    for name in ("tiny_llm_profiler", "tiny_llm_profiler.performance"):
        logger = logging.getLogger(name)
        for handler in list(logger.handlers):
            logger.removeHandler(handler)
            handler.close()
        logger.setLevel(logging.NOTSET)


@contextlib.contextmanager
def telling(write, **fields):
    """Tell of what is raised in the block, named and as the one being handled."""
    try:
        yield
    except CategorizedError as error:
        write("failed", error, **fields)
        write("failed")
        raise


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_line_has_its_keys_and_its_place(tmp_path):
    setup_logging(log_dir=tmp_path, console_output=False)
    get_logger("x").info("hello", platform="esp32", custom=3)
    [line] = lines(tmp_path / "tiny_llm_profiler.log")
    assert set(line) == {
        "timestamp", "level", "logger", "message", "module", "function", "line", "thread_id",
        "process_id", "platform", "custom",
    }  # fmt: skip
    assert (line["level"], line["logger"]) == ("INFO", "tiny_llm_profiler.x")
    assert line["module"] == "test_logging_config"
    assert line["function"] == "test_a_line_has_its_keys_and_its_place"
    assert line["thread_id"] == threading.get_ident()


def test_names_of_a_record_are_no_trouble(tmp_path):
    setup_logging(log_dir=tmp_path, console_output=False)
    get_logger("x").info("m", name="n", module="o", args=3, process="p")
    [line] = lines(tmp_path / "tiny_llm_profiler.log")
    assert (line["name_"], line["module_"], line["args_"]) == ("n", "o", 3)


def test_context_is_that_of_the_thread(tmp_path):
    setup_logging(log_dir=tmp_path, console_output=False)
    logger = get_logger("x")
    logger.set_context(platform="esp32")
    logger.set_context(session="s")
    assert logger.context == {"platform": "esp32", "session": "s"}
    other = threading.Thread(target=logger.info, args=("elsewhere",))
    other.start()
    other.join()
    logger.info("here")
    with LoggingContextManager(logger, platform="stm32") as inside:
        inside.info("inside")
    logger.clear_context()
    logger.info("cleared")
    told = [line.get("platform") for line in lines(tmp_path / "tiny_llm_profiler.log")]
    assert told == [None, "esp32", "stm32", None]


def test_files_by_kind(tmp_path):
    setup_logging("debug", tmp_path, console_output=False)
    get_logger("x").debug("fine")
    get_logger("x").error("bad")
    get_performance_logger().log_metric("latency", 1.5, "ms", model_name="m")
    whole = [line["message"] for line in lines(tmp_path / "tiny_llm_profiler.log")]
    assert whole == ["fine", "bad", "Metric"]
    assert [line["message"] for line in lines(tmp_path / "errors.log")] == ["bad"]
    [metric] = lines(tmp_path / "performance.log")
    assert (metric["metric_name"], metric["value"], metric["unit"]) == ("latency", 1.5, "ms")


def test_sessions_and_devices_keep_their_numbers(tmp_path):
    setup_logging(log_dir=tmp_path, console_output=False)
    logger = PerformanceLogger()
    logger.log_profiling_start("esp32", "m", "s-1", runs=3)
    logger.log_profiling_end("s-1", 2.5, {"tokens": 7})
    logger.log_device_event("connected", "esp32", "/dev/ttyUSB0")
    start, end, device = lines(tmp_path / "performance.log")
    assert (start["profiling_session_id"], start["runs"]) == ("s-1", 3)
    assert (end["duration_seconds"], end["results_summary"]) == (2.5, {"tokens": 7})
    assert device["event_type"] == "connected"


def test_the_console_is_standard_output_and_may_be_plain(capsys):
    setup_logging(json_format=False)
    get_logger("x").warning("careful")
    assert capsys.readouterr().out.endswith(" - tiny_llm_profiler.x - WARNING - careful\n")


def test_setting_up_again_closes_what_was_open(tmp_path):
    setup_logging(log_dir=tmp_path, console_output=False)
    package = logging.getLogger("tiny_llm_profiler")
    [first, *_] = package.handlers
    for _ in range(3):
        setup_logging(log_dir=tmp_path, console_output=False)
    assert len(package.handlers) == 2
    assert len(logging.getLogger("tiny_llm_profiler.performance").handlers) == 1
    assert first not in package.handlers
    get_performance_logger().log_metric("m", 1, "s")
    assert len(lines(tmp_path / "performance.log")) == 1


def test_an_exception_is_told_with_what_it_knows(tmp_path):
    setup_logging(log_dir=tmp_path, console_output=False)
    logger = get_logger("x")
    with pytest.raises(CategorizedError), telling(logger.exception, step=3):
        raise CategorizedError("gone", "api")
    first, second = lines(tmp_path / "errors.log")
    assert first["exception"]["message"] == second["exception"]["message"] == "gone"
    assert "Traceback" in first["exception"]["traceback"]
    assert first["step"] == 3


def test_a_logger_of_the_standard_library_will_do(tmp_path):
    setup_logging(log_dir=tmp_path, console_output=False)
    own = logging_config.ContextAwareLogger(logging.getLogger("tiny_llm_profiler.own"))
    own.info("m", step=1)
    [line] = lines(tmp_path / "tiny_llm_profiler.log")
    assert (line["logger"], line["step"]) == ("tiny_llm_profiler.own", 1)


def test_calls_are_logged(tmp_path):
    setup_logging("DEBUG", tmp_path, console_output=False)

    @log_function_call(get_logger("calls"))
    def halve(number):
        """Of two."""
        return number / 2

    assert halve(4) == 2
    with pytest.raises(TypeError):
        halve("x")
    assert halve.__doc__ == "Of two."
    told = lines(tmp_path / "tiny_llm_profiler.log")
    assert [line["level"] for line in told] == ["DEBUG", "DEBUG", "DEBUG", "ERROR"]
    assert told[1]["duration"] >= 0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: setup_logging("loud"), "log_level must be"),
        (lambda: setup_logging(max_file_size_mb=0), "max_file_size_mb must be > 0, got 0"),
        (lambda: get_logger("x").log("loud", "m"), "must be a level"),
    ],
)
def test_wrong_parameters_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong()


def test_the_environment_decides_and_cannot_crash(tmp_path, monkeypatch, caplog):
    for name, value in [
        ("LEVEL", "loud"), ("DIR", str(tmp_path)), ("CONSOLE", "1"), ("JSON", "true"),
    ]:  # fmt: skip
        monkeypatch.setenv(f"TINY_LLM_LOG_{name}", value)
    auto_configure_logging()
    assert "TINY_LLM_LOG_LEVEL" in caplog.text
    logging_config.main_logger.info("m")
    logging_config.device_logger.debug("not written")
    assert [line["message"] for line in lines(tmp_path / "tiny_llm_profiler.log")] == ["m"]


def test_fields_can_be_left_out():
    record = logging.makeLogRecord({"msg": "m", "levelname": "INFO", "custom": 3})
    assert "custom" in json.loads(JSONFormatter().format(record))
    assert "custom" not in json.loads(JSONFormatter(include_extra=False).format(record))


def test_levels_have_a_number_and_an_older_name(tmp_path):
    setup_logging("DEBUG", tmp_path, console_output=False)
    logger = get_logger("x")
    logger.log("error", "a")
    logger.log(10, "b")
    logger.warning("c")
    logger.critical("d")
    told = [line["level"] for line in lines(tmp_path / "tiny_llm_profiler.log")]
    assert told == ["ERROR", "DEBUG", "WARNING", "CRITICAL"]
