"""Read the flags of `sglang.launch_server` out of a wheel, without importing it (it wants CUDA).

    pip download sglang==0.5.23 --no-deps
    python -m tests.stand_in.read_sglang_flags sglang-0.5.23-*.whl > sglang_flags.json

SGLang declares them as annotated fields, `name: A[type, help or Arg(...)] = default`, in
`srt/arg_groups/fields/`. Written down are names, types, defaults and choices of the groups that a
study may set; the stand-in takes these flags and refuses all others.
"""

import ast
import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FIELDS = "sglang/srt/arg_groups/fields/"
GROUPS = ("model", "parallel", "schedule", "serving", "device")
# Of the groups that are left out otherwise.
ALSO = (
    "--cuda-graph-max-bs-decode",
    "--disable-custom-all-reduce",
    "--disable-radix-cache",
    "--enable-metrics",
    "--radix-eviction-policy",
)
CHOICES = "sglang/srt/arg_groups/choices.py"


def read_flags(wheel: Path) -> dict[str, Any]:
    """Return the version and each flag by its first name."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.startswith(FIELDS)]
        whole = {f"{FIELDS}{group}.py" for group in GROUPS}
        constants = _constants(archive.read(CHOICES).decode())
        flags = {}
        for name in sorted(names):
            for flag in _fields(archive.read(name).decode(), constants):
                if name in whole or flag["name"] in ALSO:
                    flags[flag.pop("name")] = flag
    return {"version": wheel.name.split("-")[1], "flags": flags}


def _constants(source: str) -> dict[str, Any]:
    found = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = _literal(node.value, {})
    return found


def _fields(source: str, constants: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.AnnAssign) and isinstance(node.annotation, ast.Subscript):
            flag = _flag(node, constants)
            if flag is not None:
                yield flag


def _flag(node: ast.AnnAssign, constants: dict[str, Any]) -> dict[str, Any] | None:
    assert isinstance(node.annotation, ast.Subscript)
    assert isinstance(node.target, ast.Name)
    if ast.unparse(node.annotation.value) != "A" or not isinstance(
        node.annotation.slice, ast.Tuple
    ):
        return None
    kind, meta = node.annotation.slice.elts[:2]
    options = {}
    if isinstance(meta, ast.Call):
        options = {word.arg: _literal(word.value, constants) for word in meta.keywords if word.arg}
    if options.get("no_cli"):
        return None
    flag = {
        "name": options.get("cli_name") or "--" + node.target.id.replace("_", "-"),
        "type": _type(kind, options),
        "default": _literal(node.value, constants) if node.value else None,
    }
    if options.get("aliases"):
        flag["aliases"] = options["aliases"]
    if isinstance(options.get("choices"), list):
        flag["choices"] = options["choices"]
    return flag


def _type(kind: ast.expr, options: dict[str, Any]) -> str:
    """Return bool, int, float, or str for everything else."""
    text = ast.unparse(kind).removeprefix("Optional[").removesuffix("]")
    text = text.removesuffix(" | None")
    return text if text in ("bool", "int", "float") and "action" not in options else "str"


def _literal(node: ast.expr, constants: dict[str, Any]) -> Any:
    if isinstance(node, ast.Name) and node.id in constants:
        return constants[node.id]
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return None
    return sorted(value) if isinstance(value, set) else value


def main() -> None:
    """Print the flags of the wheel that is named."""
    found = read_flags(Path(sys.argv[1]))
    lines = [f"  {json.dumps(name)}: {json.dumps(flag)}" for name, flag in found["flags"].items()]
    text = ",\n".join(lines)
    sys.stdout.write(f'{{"version": {json.dumps(found["version"])}, "flags": {{\n{text}\n}}}}\n')


if __name__ == "__main__":
    main()
