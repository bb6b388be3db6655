"""Bad input ends in one clear message and exit status 2."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scoot_ray import cli
from tests.integration.studies import write_study


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["scoot", *map(str, arguments)])
    with pytest.raises(SystemExit) as exit_info:
        cli.main()
    return int(exit_info.value.code or 0)


@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        ({"serach": {}}, "Did you mean search?"),
        ({"search": {"observatons": 3}}, "search.observatons: is not a key here. Did you mean obs"),
        ({"service": {"num_gpus": 0}}, "service.num_gpus"),
        ({"objective": "fast"}, "'fast' is not an objective"),
        ({"objective": [{"metric": "ttft_p98_s", "direction": "min"}]}, "Did you mean ttft_p9"),
        ({"limits": [{"metric": "ttft_p99_s", "at_least": 1}]}, "write `at_most: NUMBER`"),
        ({"workload": {"trace": "/nowhere/trace.csv"}}, "/nowhere/trace.csv"),
        ({"workload": {"trace": "synthetic:bott"}}, "bott"),
        ({"engine": {"model": "no/such-model"}}, "no/such-model"),
        ({"engine": {"kind": "vlm"}}, "got 'vlm'. Did you mean vllm?"),
        ({"engine": {"fixed": {"max_model_ln": 4096}}}, "Did you mean max_model_len?"),
        ({"engine": {"model": "meta-llama/Llama-2-7b"}}, "Did you mean meta-llama/Llama-2-7b-hf?"),
        ({"objective": "onlin"}, "Did you mean online?"),
        ({"workload": {"select": "heaviest"}}, "Did you mean heaviest_half?"),
        ({"service": {"accelerator": "L40"}}, "Did you mean L40S?"),
        ({"space": {"parameters": {"max_num_seq": {"high": 64}}}}, "Did you mean max_num_seqs?"),
        ({"service": {"accelerator": "A1000"}}, "A1000"),
        ({"space": "vllm-v9"}, "vllm-v9"),
        ({"space": {"remove": ["max_num_seq"]}}, "max_num_seqs"),
        ({"search": {"algorithm": "scot"}}, "scoot"),
    ],
)
def test_a_wrong_study_is_one_message(
    sections: dict[str, object],
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    study = write_study(tmp_path, **sections)
    assert run(monkeypatch, "tune", study, "--output", tmp_path / "out") == 2
    captured = capsys.readouterr()
    assert expected in captured.err
    assert "Traceback" not in captured.err
    assert not (tmp_path / "out" / "journal.jsonl").exists()


@pytest.mark.parametrize(
    "command", ["tune STUDY", "stress STUDY", "simulate STUDY", "calibrate STUDY", "bench quick"]
)
def test_an_output_folder_that_cannot_be_made(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "file").write_text("not a folder")
    words = command.replace("STUDY", str(write_study(tmp_path))).split()
    assert run(monkeypatch, *words, "--output", tmp_path / "file" / "out") == 2
    captured = capsys.readouterr()
    assert f"Cannot write to the output folder {tmp_path / 'file' / 'out'}" in captured.err
    assert "Traceback" not in captured.err


def test_no_study_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "check", tmp_path / "missing.yaml") == 2
    assert "Cannot read the study file" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["{", "just words", "- a\n- list", ""])
def test_a_file_that_is_no_study(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "study.yaml").write_text(text)
    assert run(monkeypatch, "tune", tmp_path / "study.yaml") == 2
    assert "study.yaml" in capsys.readouterr().err


def test_report_of_a_folder_without_a_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "report", tmp_path) == 2
    assert "holds no study" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("max_num_seq=3", "Did you mean max_num_seqs?"),
        ("max_num_seqs", "expected NAME=VALUE"),
        ("max_num_seqs=many", "max_num_seqs='many': expected integer in"),
        ("max_num_seqs=8192", "max_num_batched_tokens"),
    ],
)
def test_a_wrong_setting(
    setting: str,
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(monkeypatch, "stress", write_study(tmp_path), "--set", setting) == 2
    assert expected in capsys.readouterr().err


def test_stress_prints_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--set", "tensor_parallel_size=2", "--output", tmp_path / "out"]
    assert run(monkeypatch, "stress", write_study(tmp_path), *arguments) == 0
    assert "ttft_p99_s" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["tun"], "Did you mean 'tune'?"),
        (["traces", "insp"], "Did you mean 'inspect'?"),
        (["tune", "study.yaml", "--ouput", "x"], "--output"),
        (["export", "x", "--minimize", "tpot_men_s"], "Did you mean tpot_mean_s?"),
        (["export", "x", "--where", "ttft_p98_s < 1"], "Did you mean ttft_p99_s?"),
        (["cluster", "render", "rayjb"], "Did you mean rayjob?"),
        (["submit", "study.yaml", "--address", "http://x", "--timer", "sytemd"], "mean systemd?"),
        (["bench", "peer"], "Did you mean peers?"),
        (["bench", "peers", "--algorithms", "scot"], "Did you mean scoot?"),
        (["traces", "synthesize", "bott", "--to", "x"], "Did you mean bot?"),
        (["traces", "inspect", "trace.csv?unt=s"], "Did you mean unit?"),
        (["traces", "inspect", "trace.csv?format=azur"], "Did you mean azure?"),
        (["simulate", "study.yaml", "--serve", "--fault", "hagn"], "Did you mean hang?"),
        (
            ["init", "x.yaml", "--hardware", "4 x A100", "--model", "m", "--goal", "offlin"],
            "offline",
        ),
    ],
)
def test_a_misspelt_word_is_answered_by_the_right_one(
    arguments: list[str],
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    write_study(tmp_path)
    (tmp_path / "trace.csv").write_text("timestamp,input_length,output_length\n1,2,3\n")
    if arguments[0] == "init":
        arguments = [*arguments, "--requests", "synthetic:bot at 5"]
    assert run(monkeypatch, *arguments) == 2
    assert expected in capsys.readouterr().err


@pytest.mark.parametrize("name", ["tune", "check", "report", "export", "stress", "simulate"])
def test_a_command_without_arguments_explains_itself(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, name) == 2
    said = "".join(capsys.readouterr())
    assert "Usage:" in said
    assert "Options" in said


def test_what_only_reads_does_not_load_torch_or_ray() -> None:
    code = (
        "import sys, scoot_ray.cli\n"
        "sys.exit(' '.join({'torch', 'ray', 'sklearn'} & {*sys.modules}))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert loaded.stderr.strip() == ""


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("scoot simu", ["simulate"]),
        ("scoot stress study.yaml --se", ["--seed", "--set"]),
        ("scoot stress study.yaml --set max_num_s", ["max_num_seqs="]),
        ("scoot stress missing.yaml --set max_num_s", []),
        ("scoot export runs/x --to ku", ["kubernetes"]),
    ],
)
def test_bash_completes(line: str, expected: list[str], tmp_path: Path) -> None:
    write_study(tmp_path)
    program = tmp_path / "scoot"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nfrom scoot_ray.cli import main\nsys.exit(main())\n"
    )
    program.chmod(0o755)
    words = line.split(" ")
    script = (
        'eval "$(scoot --show-completion bash)"\n'
        f"COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}\n"
        '_scoot_completion scoot; printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    path = os.pathsep.join([str(tmp_path), os.environ["PATH"]])
    root = Path(__file__).parents[3]
    ended = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr == ""
    assert sorted(filter(None, ended.stdout.splitlines())) == sorted(expected)
