from pathlib import Path

from trainables.engines.engine_log import (
    LINE_CHARACTERS,
    TAIL_BYTES,
    last_lines,
    parting_lines,
    read_lines,
    tail,
)


def lines_of(tmp_path: Path, text: str) -> list[str]:
    log = tmp_path / "engine.log"
    log.write_text(text)
    return read_lines(log)


def test_colours_prefixes_and_chatter_are_left_out(tmp_path: Path) -> None:
    text = (
        "(EngineCore pid=7) INFO 11-21 03:34:45 [core.py:1] out of memory is not meant here\n"
        "WARNING 11-21 03:34:45 [system_utils.py:255] can cause `OSError: [Errno 24]`\n"
        "(Worker pid=8) \x1b[31mERROR\x1b[0m 11-21 03:34:45 [core.py:1] ValueError: bad\r\n"
        "/opt/x.py:3: FutureWarning: old\n  wrapper = lookup()\n"
        "Loading: 10%|#|\rLoading: 20%|##|\n"
        "\n"
    )
    assert lines_of(tmp_path, text) == ["ValueError: bad"]


def test_traceback_frames_are_left_out(tmp_path: Path) -> None:
    text = 'Traceback (most recent call last):\n  File "x.py", line 1\n    run()\nKeyError: 7\n'
    assert lines_of(tmp_path, text) == ["KeyError: 7"]


def test_a_missing_log_has_no_lines(tmp_path: Path) -> None:
    assert read_lines(tmp_path / "nothing.log") == []


def test_only_the_end_of_a_long_log_is_read(tmp_path: Path) -> None:
    lines = lines_of(tmp_path, "first\n" + "x" * TAIL_BYTES + "\nlast\n")
    assert "first" not in lines
    assert lines[-1] == "last"


def test_bytes_that_are_not_text_do_no_harm(tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    log.write_bytes(b"\xff\xfe KeyError: 7\n")
    assert len(read_lines(log)) == 1


def test_the_first_exception_stays_in_the_tail() -> None:
    lines = ["ValueError: the cause", *(f"line {n}" for n in range(40))]
    shown = tail(lines)
    assert shown[0] == "ValueError: the cause"
    assert shown[-1] == "line 39"
    assert len(shown) == 15


def test_repeated_and_long_lines_are_shortened() -> None:
    assert tail(["a", "a", "b" * 1000]) == ("a", "b" * LINE_CHARACTERS)


def test_the_last_lines_are_those_that_a_terminal_shows() -> None:
    text = "".join(f"line {n}\n" for n in range(40))
    text += "Loading: 10%\rLoading: 20%\n\n\x1b[32mINFO\x1b[0m ready\r\n"
    assert last_lines(text)[-3:] == ("line 39", "Loading: 20%", "INFO ready")
    assert len(last_lines(text)) < 40


def test_an_engine_that_said_nothing_of_its_end_is_shown_as_it_was(tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    assert parting_lines(log) == ()
    log.write_text("INFO 11-21 03:34:45 [core.py:1] Loading weights\n")
    assert parting_lines(log) == ("INFO 11-21 03:34:45 [core.py:1] Loading weights",)
    log.write_text(log.read_text() + "KeyError: 7\n")
    assert parting_lines(log) == ("KeyError: 7",)
