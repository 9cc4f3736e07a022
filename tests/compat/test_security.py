"""The checks of inputs, files and the environment; only the imports name Holdfast."""

# ruff: noqa: S108 (paths that are refused or accepted)

import hashlib
import json
import os
import re
from unittest.mock import patch

import pytest

from holdfast.compat.tiny_llm_profiler import security
from holdfast.compat.tiny_llm_profiler.exceptions import InputValidationError, UnsafePathError
from holdfast.compat.tiny_llm_profiler.security import (
    FileValidator,
    InputSanitizer,
    SecureTemporaryDirectory,
    SecurityAuditor,
    SecurityError,
    SecurityValidator,
    safe_file_path,
    secure_delete_file,
    validate_environment,
)

HERE = "holdfast.compat.tiny_llm_profiler"


@pytest.mark.parametrize("good", ["a", "tinyllama-1.1b_4bit", "A" * 64])
def test_identifiers_come_back(good):
    assert security.validate_identifier(good) == good


@pytest.mark.parametrize(
    "bad", ["", "A" * 65, "a b", "a/b", "ok\n", ".a", "a.", "a..b", "a;b", None, 3]
)
def test_other_identifiers_are_refused(bad):
    with pytest.raises(InputValidationError, match="name must be") as refused:
        SecurityValidator.validate_identifier(bad, "name")
    assert isinstance(refused.value, (SecurityError, ValueError))


@pytest.mark.parametrize(
    "bad", ["../../../etc/passwd", "/tmp/../etc/passwd", "/etc/passwd", "a\0b", "a\\..\\b"]
)
def test_paths_that_lead_elsewhere_are_unsafe(bad):
    with pytest.raises(UnsafePathError):
        security.validate_file_path(bad)


def test_paths_come_back_as_they_came(tmp_path):
    assert security.validate_file_path("models/m.gguf") == "models/m.gguf"
    assert security.validate_file_path(tmp_path / "m") == (tmp_path / "m").resolve()


def test_paths_with_rules(tmp_path):
    validate = SecurityValidator().validate_file_path
    (tmp_path / "m.GGUF").write_bytes(bytes(100))
    found = validate("m.GGUF", allowed_extensions=[".gguf"], base_directory=tmp_path,
                     max_size=100, must_exist=True)  # fmt: skip
    assert found == (tmp_path / "m.GGUF").resolve()
    (tmp_path / "out").symlink_to("/etc")
    for path, rules, kind in (
        ("m.GGUF", {"allowed_extensions": [".bin"]}, InputValidationError),
        ("m.GGUF", {"max_size": 99}, InputValidationError),
        ("none", {"must_exist": True}, InputValidationError),
        ("out/passwd", {}, UnsafePathError), ("/tmp", {}, UnsafePathError),
    ):  # fmt: skip
        with pytest.raises(kind):
            validate(path, base_directory=tmp_path, **rules)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.txt", "a.txt"), ("a/b\\c:d", "a_b_c_d"), ('<>:"/\\|?*', "_________"),
        ("..", "unnamed_file"), ("", "unnamed_file"), (" .a. ", "a"), ("a\0\nb", "a__b"),
        ("x" * 300, "x" * 255),
    ],
)  # fmt: skip
def test_names_of_files_become_harmless(name, expected):
    assert security.sanitize_filename(name) == expected


def test_session_ids_are_of_secrets():
    assert re.fullmatch(r"[0-9a-f]{32}", security.generate_session_id())
    with patch(f"{HERE}.security.secrets.token_bytes", return_value=b"\x01" * 16) as draw:
        assert security.generate_session_id() == "01" * 16
    draw.assert_called()


def test_hashes_of_files(tmp_path):
    (tmp_path / "f").write_bytes(b"abc")
    assert security.compute_file_hash(tmp_path / "f") == hashlib.sha256(b"abc").hexdigest()
    assert len(security.compute_file_hash(tmp_path / "f", "md5")) == 32
    with pytest.raises(SecurityError, match="cannot be read"):
        security.compute_file_hash(tmp_path / "none")
    with pytest.raises(ValueError, match="unsupported"):
        security.compute_file_hash(tmp_path / "f", "nonsense")


def test_files_of_models(tmp_path, monkeypatch):
    good, bad = tmp_path / "m.GGUF", tmp_path / "m.txt"
    for path in (good, bad):
        path.write_bytes(bytes(20))
    assert security.validate_model_file(good) is good
    assert FileValidator.validate_model_file(good)
    for path in (bad, tmp_path / "none.gguf"):
        with pytest.raises(SecurityError):
            security.validate_model_file(path)
        assert not FileValidator.validate_model_file(path)
    monkeypatch.setattr(SecurityValidator, "MAX_MODEL_SIZE", 10)
    with pytest.raises(SecurityError, match="at most 10 bytes"):
        security.validate_model_file(str(good))
    monkeypatch.undo()
    good.chmod(0o666)
    assert not FileValidator.validate_model_file(good)


@pytest.mark.parametrize(
    "good", ["/dev/ttyUSB0", "/dev/ttyS1", "/dev/pts/3", "/tmp/board.sock", "COM3", "local"]
)
def test_ports(good):
    assert security.validate_device_path(good) == good


@pytest.mark.parametrize(
    "bad",
    ["/dev/null", "/dev/../etc/shadow", "/dev/tty$(whoami)", "COMBINE", "COM257", "", None],
)
def test_what_is_no_port(bad):
    with pytest.raises(SecurityError):
        security.validate_device_path(bad)


def test_addresses():
    good = {"host": "device.local", "port": 8080}
    assert SecurityValidator.validate_network_config(good) == good
    for bad in ({"host": "", "port": 1}, {"host": "a b", "port": 1}, {"host": "a", "port": 0},
                {"host": "a", "port": 65_536}, {"host": "a", "port": True}, {}):  # fmt: skip
        with pytest.raises(InputValidationError):
            SecurityValidator.validate_network_config(bad)


def test_texts_from_outside():
    sanitize = InputSanitizer.sanitize_string
    assert sanitize("  a\x00b ") == "ab"
    assert sanitize(" a ", strip_whitespace=False) == " a "
    assert sanitize("abc", allowed_chars="[a-c]+") == "abc"
    for text, rules in ((3, {}), ("a" * 1001, {}), ("abx", {"allowed_chars": "[ab]+"})):
        with pytest.raises(InputValidationError):
            sanitize(text, **rules)
    assert InputSanitizer.sanitize_prompts([" a ", "", "b"]) == ["a", "b"]
    for prompts in ("abc", ["a"] * 101, [1], ["a" * 10_001], [], [" "]):
        with pytest.raises(InputValidationError):
            InputSanitizer.sanitize_prompts(prompts)


def test_temporary_files_are_the_owners():
    path = FileValidator.create_secure_temp_file()
    assert (path.suffix, path.stat().st_mode & 0o777) == (".tmp", 0o600)
    path.unlink()
    made = SecureTemporaryDirectory()

    def fails():
        with made as folder:
            assert folder.stat().st_mode & 0o777 == 0o700
            (folder / "x").write_text("x")
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert not made.temp_dir.exists()


def test_files_are_deleted_and_links_are_not_followed(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"secret" * 1000)
    link.symlink_to(target)
    assert secure_delete_file(link)
    assert target.read_bytes() == b"secret" * 1000
    assert secure_delete_file(str(target), passes=3)
    assert list(tmp_path.iterdir()) == []
    assert secure_delete_file(target)
    assert not secure_delete_file(tmp_path)


def test_names_stay_inside_their_base(tmp_path):
    assert safe_file_path(tmp_path, "../x") == str(tmp_path.resolve() / "_x")
    (tmp_path / "out").symlink_to("/etc")
    with pytest.raises(SecurityError):
        safe_file_path(tmp_path, "out")


# --- the environment ----------------------------------------------------------------------
def test_the_environment_has_its_keys_and_nothing_is_written(tmp_path):
    with patch.dict(os.environ, {"PATH": str(tmp_path)}):
        found = validate_environment()
    assert set(found) == {"secure", "warnings", "errors", "recommendations"}
    assert list(tmp_path.iterdir()) == []


def test_root_debug_and_an_old_python_are_found():
    with patch("os.geteuid", return_value=0):
        assert any("root" in text for text in validate_environment()["warnings"])
    with patch("os.geteuid", return_value=1000):
        assert not any("root" in text for text in validate_environment()["warnings"])
    with patch("os.environ", {"DEBUG": "1"}):
        assert any("debug" in text.lower() for text in validate_environment()["warnings"])
    with patch("os.environ", {"NODE_ENV": "production"}):
        assert not any("debug" in text.lower() for text in validate_environment()["warnings"])
    with patch("sys.version_info", (3, 7, 0)):
        found = validate_environment()
    assert not found["secure"]
    assert any("python" in text.lower() for text in found["errors"])


def test_an_audit_is_scored_kept_and_written(tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    auditor = SecurityAuditor()
    auditor.export_audit_report(tmp_path / "none.json")
    assert "no audit" in caplog.text
    assert list(tmp_path.iterdir()) == []
    before = auditor.run_security_audit()
    assert set(before["categories"]) == {"environment", "filesystem", "network", "application"}
    (tmp_path / "server.pem").write_text("x")
    (tmp_path / ".env").write_text("x")
    after = auditor.run_security_audit()
    lost = before["overall_security_score"] - after["overall_security_score"]
    assert lost in {2, 3}  # two warnings of five points in one of four categories
    assert len(after["warnings"]) == len(before["warnings"]) + 2
    assert [one["audit_id"] for one in auditor.audit_results] == [
        before["audit_id"], after["audit_id"],
    ]  # fmt: skip
    auditor.export_audit_report(tmp_path / "audit.json")
    report = json.loads((tmp_path / "audit.json").read_text())
    assert set(report) == {"audit_summary", "audit_history", "generated_at", "system_info"}
    assert report["audit_summary"] == after
    assert set(report["system_info"]) == {"python_version", "platform", "architecture"}
    assert isinstance(security.security_auditor, SecurityAuditor)
