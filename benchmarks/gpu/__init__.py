"""A study of Llama-2 shapes on a real GPU: no weights, no network, only vLLM and `config.json`.

`python -m benchmarks.gpu 7b --python VLLM_PYTHON` needs one GPU. Weights are random, drawn by vLLM
(`--load-format dummy`): the time of a step does not depend on them, and answers are nonsense.
"""
