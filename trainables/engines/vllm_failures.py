"""How vLLM dies: its own words, and whose fault each death is.

Order matters. What no configuration can help comes first, so that a full disk is not mistaken for
a bad configuration because of what follows from it.
"""

from scoot_ray.core.trial import Phase, TrialState
from trainables.failure import FailureRule

_AT_START = frozenset({Phase.START})

INFRASTRUCTURE = (
    FailureRule(
        cause="disk_full",
        pattern=r"No space left on device|Disk quota exceeded",
        state=TrialState.FAILED,
        advice="The disk is full; free space for weights, compile caches and logs.",
    ),
    FailureRule(
        cause="address_in_use",
        pattern=r"[Aa]ddress already in use|EADDRINUSE",
        state=TrialState.FAILED,
        advice="A port or socket of the engine was taken by another process.",
    ),
    FailureRule(
        cause="model_unreachable",
        pattern=(
            r"Max retries exceeded|name resolution|[Cc]onnection error|ConnectTimeout|ReadTimeout"
            r"|50[0234] Server Error"
        ),
        state=TrialState.FAILED,
        advice="The model's files could not be fetched; check the network or download them first.",
        phases=_AT_START,
    ),
    FailureRule(
        cause="device_fault",
        pattern=(
            r"NCCL (error|WARN)|ncclSystemError|ncclUnhandledCudaError|ncclRemoteError"
            r"|CUDA driver (initialization failed|version is insufficient)|no CUDA-capable device"
            r"|uncorrectable (ECC|NVLink) error|unspecified launch failure|fallen off the bus"
            r"|device is busy or unavailable|Failed to infer device type"
        ),
        state=TrialState.FAILED,
        advice="A GPU, its driver or the link between GPUs failed.",
    ),
)

STUDY = (
    FailureRule(
        cause="wrong_flag",
        pattern=r"error: unrecognized arguments|error: argument \S+: |error: ambiguous option",
        state=TrialState.FAILED,
        advice="The installed engine does not take one of the study's flags; correct the study.",
        fatal=True,
        phases=_AT_START,
    ),
    FailureRule(
        cause="engine_not_installed",
        pattern=r"^Cannot start |No module named '?vllm",
        state=TrialState.FAILED,
        advice="The engine is not installed where engine.python points to; correct the study.",
        fatal=True,
        phases=_AT_START,
    ),
    FailureRule(
        cause="model_access",
        pattern=r"GatedRepoError|gated repo|401 Client Error|403 Client Error|Invalid user token",
        state=TrialState.FAILED,
        advice="Access to the model was refused; accept its licence and set HF_TOKEN.",
        fatal=True,
        phases=_AT_START,
    ),
    FailureRule(
        cause="model_not_found",
        pattern=(
            r"RepositoryNotFoundError|HFValidationError|LocalEntryNotFoundError"
            r"|Cannot find any model weights|does not appear to have (a|the) file"
            r"|Invalid repository ID or local directory|not a local folder and is not a valid model"
            r"|Can't load the configuration of|SafetensorError|Unrecognized model in"
        ),
        state=TrialState.FAILED,
        advice="The model's files are missing or not readable; check engine.model.",
        fatal=True,
        phases=_AT_START,
    ),
    FailureRule(
        cause="tokenizer_not_found",
        pattern=(
            r"Can't load tokenizer|[Tt]okenizer class \S+ does not exist|load the tokenizer"
            r"|Couldn't instantiate the backend tokenizer"
        ),
        state=TrialState.FAILED,
        advice="The model's tokenizer is missing or not readable; check engine.model.",
        fatal=True,
        phases=_AT_START,
    ),
    FailureRule(
        cause="max_model_len_too_long",
        pattern=r"max_model_len \(\d+\) is greater than the derived max_model_len",
        state=TrialState.FAILED,
        advice="The model's context is shorter than max_model_len; lower it in engine.fixed.",
        fatal=True,
        phases=_AT_START,
    ),
)

CONFIGURATION = (
    FailureRule(
        cause="kv_cache_too_small",
        pattern=(
            r"No available memory for the cache blocks|KV cache is needed, which is larger than"
            r"|is larger than the maximum number of tokens that can be stored in KV cache"
        ),
        state=TrialState.INFEASIBLE,
        advice=(
            "The KV cache cannot hold one sequence of max_model_len tokens; it needs more memory "
            "(gpu_memory_utilization, tensor_parallel_size) or a smaller max_model_len."
        ),
    ),
    FailureRule(
        cause="out_of_memory",
        pattern=(
            r"[Oo]ut of memory|OutOfMemoryError|Cannot allocate memory|MemoryError|"
            r"Free memory on device .* is less than desired"
        ),
        state=TrialState.INFEASIBLE,
        advice="The engine ran out of memory.",
    ),
    FailureRule(
        cause="unsupported_block_size",
        pattern=r"No common block size|block_size .* (not supported|must be)|[Ii]nvalid block size",
        state=TrialState.INFEASIBLE,
        advice="The attention kernels of this machine do not support this block_size.",
    ),
    FailureRule(
        cause="batched_tokens_too_small",
        pattern=(
            r"max_num_batched_tokens \(\d+\) (must be greater than or equal to max_num_seqs"
            r"|is smaller than max_model_len)"
        ),
        state=TrialState.INFEASIBLE,
        advice="max_num_batched_tokens must reach max_num_seqs, and max_model_len unless chunked.",
    ),
    FailureRule(
        cause="unsupported_parallelism",
        pattern=r"must be divisible by tensor parallel size|[Tt]otal number of attention heads",
        state=TrialState.INFEASIBLE,
        advice="The model cannot be split over this tensor_parallel_size.",
    ),
)

VLLM_FAILURES = INFRASTRUCTURE + STUDY + CONFIGURATION
