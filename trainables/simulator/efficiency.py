"""What kernels reach of an accelerator's published peaks, and what they cost besides."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Efficiency:
    """Hold the constants of the analytic step cost; all apply to every accelerator alike.

    Those of matrix products were fitted to five of the operator profiles that Vidur (Agrawal et
    al., MLSys 2024) published, of three GPUs and four models, and judged on the other twelve
    (`python -m benchmarks.step_cost`); those of elementwise kernels to three. The form of the
    terms was chosen with all of them in view. Shares are of the published peak.

    Attributes:
        matmul_flops: Share, by a tile of a matrix product while it multiplies.
        matmul_memory: Share, by a product that streams its weights.
        tile_load_s_per_byte: Of loading a tile's inputs into its SM, what the multiplications
            do not hide; why large tiles are better.
        split_s: Second pass of a product that was split along its inputs.
        elementwise_memory: Share, by norms, rotary embedding, activations and the sampler.
        elementwise_s: Of such a kernel with few tokens: it reads, reduces and writes in turn.
        prefill_attention_flops: Share, by FlashAttention on a long prompt. FlashAttention-3 does
            430 to 620 TFLOPS on an H100 from 512 to 16,384 tokens (pytorch/benchmark#2391);
            FlashAttention-2 up to 73 % of the peak of an A100, less with a causal mask (Dao,
            2023, arXiv 2307.08691).
        prefill_extra_keys: Keys' worth of work that each query of a prompt pays besides its own:
            the masked half of the diagonal tile, and starting its loop. Halves the speed of a
            prompt of 400 tokens.
        decode_attention_memory: Share, by paged attention with very large blocks; 0.70 to 0.85
            is usual for paged kernels at large batches.
        block_lookup_tokens: Tokens' worth of time that paged attention spends per block on
            looking it up; makes small blocks slower.
        interconnect: Of the rate that `all_reduce` takes for the link.
        kernel_s: Start and drain of one kernel on the device.
        kernel_launch_s: Host's time to issue one kernel through the framework's eager mode.
        compiled_launch_s: The same from code that torch.compile made.
    """

    matmul_flops: float = 0.9
    matmul_memory: float = 0.92
    tile_load_s_per_byte: float = 1.75e-12
    split_s: float = 1.5e-6
    elementwise_memory: float = 0.57
    elementwise_s: float = 4e-6
    prefill_attention_flops: float = 0.62
    prefill_extra_keys: float = 200.0
    decode_attention_memory: float = 0.8
    block_lookup_tokens: float = 1.0
    interconnect: float = 1.0
    kernel_s: float = 2.5e-6
    kernel_launch_s: float = 20e-6
    compiled_launch_s: float = 8e-6
