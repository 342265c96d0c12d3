"""Matrix products on the CPU, whose bytes depend on nothing but their numbers.

A sum over k is one chain of fused multiply-adds in the order of k, however the product is cut.
"""

from typing import Any

import numpy as np
from numba.extending import overload

from lstm_ae.model.compiling import compiled
from lstm_ae.model.tiles import (
    ROWS,
    VECTOR_BITS,
    VECTORS,
    Matrix,
    add_thin_tile,
    add_tile,
)

BLOCK_ROWS = 120  # whose part of a stays in the cache while all of b passes by
BLOCK_DEPTH = 256  # of a panel of b that stays in the first cache


def panel_width(array: Any) -> int:
    """Columns of a panel of `pack`."""
    return VECTORS * VECTOR_BITS // (8 * int(array.itemsize))


@overload(panel_width, strict=False)
def _compiled_panel_width(array: Any) -> Any:
    width = VECTORS * VECTOR_BITS // array.dtype.bitwidth
    return lambda array: width


@compiled
def pack(b):
    """(K, N) as panels of columns, (panels, K, width); the last one is filled up with zeros."""
    depth, columns = b.shape
    width = panel_width(b)
    panels = (columns + width - 1) // width
    packed = np.zeros((panels, depth, width), b.dtype)
    for p in range(panels):
        begin = p * width
        panel = packed[p]
        if begin + width <= columns:
            for k in range(depth):
                for j in range(width):
                    panel[k, j] = b[k, begin + j]
        else:
            for k in range(depth):
                for j in range(columns - begin):
                    panel[k, j] = b[k, begin + j]
    return packed


@compiled
def add_product(a, packed, c, rows, columns):
    """Add the product of a (rows, K) and a packed (K, columns) to c, both a `Matrix`."""
    panels, depth, width = packed.shape
    b = packed.reshape(-1)
    edge = np.zeros(ROWS * width, b.dtype)
    for first_row in range(0, rows, BLOCK_ROWS):
        count = min(BLOCK_ROWS, rows - first_row)
        tiles = (count + ROWS - 1) // ROWS
        for first_k in range(0, depth, BLOCK_DEPTH):
            steps = min(BLOCK_DEPTH, depth - first_k)
            for p in range(panels):
                panel = Matrix(b, (p * depth + first_k) * width, width, 1)
                kept = min(width, columns - p * width)
                for n in range(tiles):
                    row = first_row + count * n // tiles
                    height = first_row + count * (n + 1) // tiles - row
                    start = a.start + row * a.row + first_k * a.step
                    left = Matrix(a.values, start, a.row, a.step)
                    place = c.start + row * c.row + p * width
                    target = Matrix(c.values, place, c.row, 1)
                    if kept == width:
                        add_tile(height, left, panel, target, steps)
                    else:
                        _add_edge((height, kept), left, panel, target, edge, steps)


@compiled
def _add_edge(shape, left, panel, target, edge, steps):
    """Add a tile to the end of rows, of a shape (rows, columns) that is thinner than a panel."""
    height, kept = shape
    width = panel.row
    whole = Matrix(edge, 0, width, 1)
    for r in range(height):
        for j in range(kept):
            edge[r * width + j] = target.values[target.start + r * target.row + j]
    if 2 * kept > width:
        add_tile(height, left, panel, whole, steps)
    else:
        add_thin_tile(height, left, panel, whole, steps)
    for r in range(height):
        for j in range(kept):
            target.values[target.start + r * target.row + j] = edge[r * width + j]


@compiled
def matrix(array):
    """A C-contiguous array (M, N) as a `Matrix`."""
    return Matrix(array.reshape(-1), 0, array.shape[1], 1)


@compiled
def transposed(a):
    """The transpose of a `Matrix`."""
    return Matrix(a.values, a.start, a.step, a.row)


@compiled
def product(a, b):
    """a (M, K) @ b (K, N)."""
    return packed_product(a, pack(b), b.shape[1])


@compiled
def packed_product(a, packed, columns):
    """The product of a (M, K) and a packed (K, columns)."""
    rows = a.shape[0]
    c = np.zeros((rows, columns), a.dtype)
    add_product(matrix(a), packed, matrix(c), rows, columns)
    return c


@compiled
def inner_product(a, b):
    """The transpose of a (K, M) @ b (K, N)."""
    rows = a.shape[1]
    columns = b.shape[1]
    c = np.zeros((rows, columns), a.dtype)
    add_product(transposed(matrix(a)), pack(b), matrix(c), rows, columns)
    return c
