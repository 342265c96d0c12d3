"""The innermost arithmetic on the CPU: fused multiply-add, tanh, and a tile of a matrix product.

Every number is made by IEEE operations in an order that this code decides, and no operation is left
to a library. So the bytes are the same on every processor, however wide its vectors are.
"""

import hashlib
import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from llvmlite import binding, ir
from numba import config, njit, types
from numba.core import cgutils
from numba.extending import intrinsic, overload
from numpy.typing import NDArray

from lstm_ae.core import paths

# A tile is 6 rows by 2 vectors: 12 sums, 2 vectors and 1 broadcast fit the 16 registers of AVX2.
ROWS = 6
VECTORS = 2
FEATURES = config.CPU_FEATURES or binding.get_host_cpu_features().flatten()
VECTOR_BITS = 512 if "+avx512f" in FEATURES else 256

# tanh x = x P(x^2) / Q(x^2), fitted on |x| < 9.02 with P(0) = Q(0) = 1; beyond, it rounds to 1.
P1, P2, P3, P4 = np.float32([0.13382678, 0.0034974469, 2.0635641e-5, 1.3384033e-8])
Q1, Q2, Q3, Q4 = np.float32([0.46716, 0.025884321, 0.00032884997, 7.7901451e-7])
LARGEST = np.float32(9.02)
ONE = np.float32(1)


def _cache() -> Path:
    """Where Numba keeps compiled code: a directory for each state of the code in this room.

    By itself it would look at one file alone, and miss a change of what that file calls.
    """
    whole = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        whole.update(path.read_bytes())
    return paths.cache() / "kernels" / whole.hexdigest()[:16]


config.CACHE_DIR = str(_cache())
compiled = njit(cache=True, nogil=True, error_model="numpy")


Array = NDArray[Any]


class Matrix(NamedTuple):
    """A matrix in a flat array: element (i, k) is values[start + i row + k step]."""

    values: Array
    start: int
    row: int
    step: int


def _vector_type(dtype: Any) -> ir.VectorType:
    element = ir.FloatType() if dtype.bitwidth == 32 else ir.DoubleType()
    return ir.VectorType(element, VECTOR_BITS // dtype.bitwidth)


def _declare_fma(builder: Any, kind: Any, suffix: str) -> Any:
    signature = ir.FunctionType(kind, [kind, kind, kind])
    return cgutils.get_or_insert_function(builder.module, signature, f"llvm.fma.{suffix}")


@intrinsic
def fma(context: Any, a: Any, b: Any, c: Any) -> Any:
    """a b + c, rounded once."""

    def generate(context: Any, builder: Any, signature: Any, numbers: Any) -> Any:
        kind = numbers[0].type
        function = _declare_fma(builder, kind, f"f{signature.return_type.bitwidth}")
        return builder.call(function, numbers)

    return a(a, a, a), generate


def tanh(x: Any) -> Any:
    """Hyperbolic tangent, to rounding."""


@overload(tanh, strict=False)
def _tanh(x: Any) -> Any:
    if x == types.float64:
        return lambda x: math.tanh(x)

    def rational(x):
        x = min(max(x, -LARGEST), LARGEST)
        u = x * x
        p = fma(u, fma(u, fma(u, fma(u, P4, P3), P2), P1), ONE)
        q = fma(u, fma(u, fma(u, fma(u, Q4, Q3), Q2), Q1), ONE)
        return min(max(x * p / q, -ONE), ONE)

    return rational


def _tile(rows: int) -> Any:
    """The product of `rows` rows of a and a panel of b, added to c; its sums stay in registers."""

    @intrinsic
    def tile(context: Any, a: Any, b: Any, c: Any, depth: Any) -> Any:
        dtype = a.types[0].dtype
        vector = _vector_type(dtype)

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            *matrices, depth = arguments
            operands = []
            for kind, matrix in zip(signature.args, matrices, strict=False):
                parts = cgutils.unpack_tuple(builder, matrix)
                array = context.make_array(kind.types[0])(context, builder, parts[0])
                operands.append((array.data, *parts[1:]))
            writer = _TileWriter(builder, vector, dtype.bitwidth)
            writer.write(rows, *operands, depth)
            return context.get_dummy_value()

        return types.void(a, b, c, depth), generate

    return tile


class _TileWriter:
    """Writes the loop of a tile as LLVM code."""

    def __init__(self, builder: Any, vector: ir.VectorType, bits: int) -> None:
        self.builder = builder
        self.vector = vector
        self.bits = bits
        self.fma = _declare_fma(builder, vector, f"v{vector.count}f{bits}")

    def write(self, rows: int, a: Any, b: Any, c: Any, depth: Any) -> None:
        builder = self.builder
        places = self._places(rows, c)
        before = builder.block
        loop = builder.append_basic_block("loop")
        after = builder.append_basic_block("after")
        first = [self._load(place) for place in places]
        builder.branch(loop)
        builder.position_at_end(loop)
        k = builder.phi(depth.type)
        sums = [builder.phi(self.vector) for _ in places]
        added = self._add_products(rows, a, b, k, sums)
        following = builder.add(k, k.type(1))
        for phi, begin, end in zip(
            [k, *sums], [k.type(0), *first], [following, *added], strict=True
        ):
            phi.add_incoming(begin, before)
            phi.add_incoming(end, loop)
        builder.cbranch(builder.icmp_signed("<", following, depth), loop, after)
        builder.position_at_end(after)
        for place, value in zip(places, added, strict=True):
            builder.store(value, place, align=self.bits // 8)

    def _add_products(self, rows: int, a: Any, b: Any, k: Any, sums: list[Any]) -> list[Any]:
        builder = self.builder
        lanes = self.vector.count
        b_values, b_start, b_row, _ = b
        begin = builder.add(b_start, builder.mul(k, b_row))
        vectors = []
        for v in range(VECTORS):
            place = builder.gep(b_values, [builder.add(begin, k.type(v * lanes))])
            vectors.append(self._load(builder.bitcast(place, self.vector.as_pointer())))
        a_values, a_start, a_row, a_step = a
        column = builder.add(a_start, builder.mul(k, a_step))
        added = []
        for row in range(rows):
            place = builder.gep(a_values, [builder.add(column, builder.mul(a_row, k.type(row)))])
            broadcast = self._broadcast(builder.load(place, align=self.bits // 8))
            for v in range(VECTORS):
                total = sums[row * VECTORS + v]
                added.append(builder.call(self.fma, [broadcast, vectors[v], total]))
        return added

    def _places(self, rows: int, c: Any) -> list[Any]:
        builder = self.builder
        values, start, row_size, _ = c
        word = start.type
        places = []
        for row in range(rows):
            begin = builder.add(start, builder.mul(row_size, word(row)))
            for v in range(VECTORS):
                place = builder.gep(values, [builder.add(begin, word(v * self.vector.count))])
                places.append(builder.bitcast(place, self.vector.as_pointer()))
        return places

    def _load(self, place: Any) -> Any:
        return self.builder.load(place, align=self.bits // 8)

    def _broadcast(self, scalar: Any) -> Any:
        undefined = ir.Constant(self.vector, ir.Undefined)
        int32 = ir.IntType(32)
        one = self.builder.insert_element(undefined, scalar, int32(0))
        places = ir.Constant(ir.VectorType(int32, self.vector.count), [0] * self.vector.count)
        return self.builder.shuffle_vector(one, undefined, places)


_tile_1, _tile_2, _tile_3, _tile_4, _tile_5, _tile_6 = (_tile(rows) for rows in range(1, ROWS + 1))


@njit(inline="always")
def add_tile(rows, a, b, c, depth):
    if rows == 6:
        _tile_6(a, b, c, depth)
    elif rows == 5:
        _tile_5(a, b, c, depth)
    elif rows == 4:
        _tile_4(a, b, c, depth)
    elif rows == 3:
        _tile_3(a, b, c, depth)
    elif rows == 2:
        _tile_2(a, b, c, depth)
    else:
        _tile_1(a, b, c, depth)
