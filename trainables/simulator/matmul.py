"""Matrix products: tiles on multiprocessors against bytes from memory.

A library cuts the result into tiles and gives each to one multiprocessor (SM), so the last wave of
tiles is as long as a full one; NVIDIA's "Matrix Multiplication Background User's Guide" calls this
tile and wave quantisation. Where tiles are few they are split along the inputs (split-K). Which
tile a library takes is decided by heuristics that nobody publishes, so the time is the harmonic
mean (the mean of the rates) over the usual tiles, each split as suits it best.
"""

from dataclasses import dataclass
from math import ceil, hypot

from trainables.hardware import Accelerator
from trainables.simulator.efficiency import Efficiency

# Rows and columns of result tiles in the half-precision kernels of cuBLAS and CUTLASS.
TILES = ((64, 128), (128, 128), (128, 256))
MIN_TILE_ROWS = 64
SPLITS = (1, 2, 3, 4, 6, 8)
PARTIAL_BYTES = 8  # per element and part of a split product: written and read once in fp32


@dataclass(frozen=True)
class Matmul:
    """Price products of activations [rows, inputs] with weights [inputs, outputs]."""

    accelerator: Accelerator
    efficiency: Efficiency
    bytes_per_value: int

    def seconds(
        self, num_rows: float, num_inputs: float, num_outputs: float, num_matrices: float = 1.0
    ) -> float:
        """Return the time of one kernel.

        Args:
            num_rows: Rows of each of the matrices (grouped products of experts have several).
            num_inputs: Length of a dot product.
            num_outputs: Columns of each result.
            num_matrices: Weight matrices that the kernel reads; may be an expectation.
        """
        rates = 0.0
        for tile_rows, tile_columns in TILES:
            # No tile is twice as high as the matrix, but the smallest.
            while tile_rows > MIN_TILE_ROWS and tile_rows >= 2 * num_rows:
                tile_rows //= 2
            product = _Product(num_rows, num_inputs, num_outputs, num_matrices)
            rates += 1 / min(self._seconds(product, tile_rows, tile_columns, s) for s in SPLITS)
        return self.efficiency.kernel_s + len(TILES) / rates

    def _seconds(
        self, product: "_Product", tile_rows: int, tile_columns: int, num_splits: int
    ) -> float:
        accelerator, efficiency = self.accelerator, self.efficiency
        num_tiles = ceil(product.num_rows / tile_rows) * ceil(product.num_outputs / tile_columns)
        num_waves = ceil(num_tiles * num_splits * product.num_matrices / accelerator.num_sms)
        sm_flops = accelerator.peak_flops / accelerator.num_sms * efficiency.matmul_flops
        loaded_bytes = self.bytes_per_value * (tile_rows + tile_columns)
        input_s = 2 * tile_rows * tile_columns / sm_flops
        input_s += loaded_bytes * efficiency.tile_load_s_per_byte
        tiles_s = num_waves * product.num_inputs / num_splits * input_s
        # Short of power the clock falls, however well the tiles fit.
        sustained_s = product.flops / (accelerator.peak_flops * accelerator.sustained_flops_share)
        num_bytes = product.num_values * self.bytes_per_value
        if num_splits > 1:
            num_bytes += num_splits * PARTIAL_BYTES * product.num_results
        bandwidth = accelerator.memory_bandwidth_bytes_per_s * efficiency.matmul_memory
        # Loads and products overlap, but not perfectly.
        seconds = hypot(max(tiles_s, sustained_s), num_bytes / bandwidth)
        return seconds + (efficiency.split_s if num_splits > 1 else 0.0)


@dataclass(frozen=True)
class _Product:
    num_rows: float
    num_inputs: float
    num_outputs: float
    num_matrices: float

    @property
    def num_results(self) -> float:
        return self.num_matrices * self.num_rows * self.num_outputs

    @property
    def flops(self) -> float:
        return 2.0 * self.num_results * self.num_inputs

    @property
    def num_values(self) -> float:
        """Count weights, inputs and results."""
        per_row = self.num_inputs + self.num_outputs
        weights = self.num_inputs * self.num_outputs
        return self.num_matrices * (weights + self.num_rows * per_row)
