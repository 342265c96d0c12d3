"""The innermost arithmetic on the CPU: fused multiply-add, tanh, and a tile of a matrix product.

Every number is made by IEEE operations in an order that this code decides, and no operation is left
to a library. So the bytes are the same on every processor, however wide its vectors are.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from llvmlite import binding, ir
from numba import config, njit, types
from numba.core import cgutils
from numba.extending import intrinsic, overload
from numpy.typing import NDArray

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

Array = NDArray[Any]


class Matrix(NamedTuple):
    """A matrix in a flat array: element (i, k) is values[start + i row + k step]."""

    values: Array
    start: int
    row: int
    step: int


def _declare_fma(builder, kind, suffix):
    signature = ir.FunctionType(kind, [kind, kind, kind])
    return cgutils.get_or_insert_function(builder.module, signature, f"llvm.fma.{suffix}")


@intrinsic
def fma(context, a, b, c):
    """a b + c, rounded once."""

    def generate(context, builder, signature, numbers):
        kind = numbers[0].type
        function = _declare_fma(builder, kind, f"f{signature.return_type.bitwidth}")
        return builder.call(function, numbers)

    return a(a, a, a), generate


def tanh(x):
    """Hyperbolic tangent, to rounding."""


@overload(tanh, strict=False)
def _tanh(x):
    if x == types.float64:
        return lambda x: math.tanh(x)

    def rational(x):
        x = min(max(x, -LARGEST), LARGEST)
        u = x * x
        p = fma(u, fma(u, fma(u, fma(u, P4, P3), P2), P1), ONE)
        q = fma(u, fma(u, fma(u, fma(u, Q4, Q3), Q2), Q1), ONE)
        return min(max(x * p / q, -ONE), ONE)

    return rational


class _Operand(NamedTuple):
    """A `Matrix` in LLVM: where its values begin, and its numbers."""

    values: ir.Value
    start: ir.Value
    row: ir.Value
    step: ir.Value


def _tile(rows, vectors):
    """Make what adds the product of `rows` rows of a and `vectors` vectors of a panel of b to c."""

    @intrinsic
    def tile(context, a, b, c, depth):
        def generate(context, builder, signature, arguments):
            *matrices, depth = arguments
            operands = []
            for matrix in matrices:
                values, *numbers = cgutils.unpack_tuple(builder, matrix)
                array = context.make_array(a.types[0])(context, builder, values)
                operands.append(_Operand(array.data, *numbers))
            writer = _TileWriter(builder, a.types[0].dtype, vectors, depth)
            writer.write(rows, *operands)
            return context.get_dummy_value()

        return types.void(a, b, c, depth), generate

    return tile


class _TileWriter:
    """Writes a tile as a loop over k whose sums stay in registers."""

    def __init__(
        self,
        builder,
        dtype,
        vectors,
        depth,
    ):
        element = ir.FloatType() if dtype.bitwidth == 32 else ir.DoubleType()
        lanes = VECTOR_BITS // dtype.bitwidth
        self.builder = builder
        self.vectors = vectors
        self.depth = depth
        self.number = depth.type
        self.align = dtype.bitwidth // 8
        self.vector = ir.VectorType(element, lanes)
        self.fma = _declare_fma(builder, self.vector, f"v{lanes}f{dtype.bitwidth}")

    def write(self, rows, a, b, c):
        builder = self.builder
        places = []
        for row in range(rows):
            places += self._vectors_of(c, self.number(row))
        first = self._load(places)
        before = builder.block
        loop = builder.append_basic_block("loop")
        after = builder.append_basic_block("after")

        builder.branch(loop)
        builder.position_at_end(loop)
        k = builder.phi(self.number)
        sums = [builder.phi(self.vector) for _ in places]
        added = self._add_products(a, b, k, sums)
        next_k = builder.add(k, self.number(1))
        k.add_incoming(self.number(0), before)
        k.add_incoming(next_k, loop)
        for total, begin, end in zip(sums, first, added, strict=True):
            total.add_incoming(begin, before)
            total.add_incoming(end, loop)
        goes_on = builder.icmp_signed("<", next_k, self.depth)
        builder.cbranch(goes_on, loop, after)

        builder.position_at_end(after)
        for place, total in zip(places, added, strict=True):
            builder.store(total, place, align=self.align)

    def _add_products(
        self,
        a,
        b,
        k,
        sums,
    ):
        """Add the products of column k of a and row k of b to the sums."""
        builder = self.builder
        vectors = self._load(self._vectors_of(b, k))
        added = []
        for n, total in enumerate(sums):
            row, v = divmod(n, self.vectors)
            if v == 0:
                place = self._address(a, self.number(row), k)
                factor = self._broadcast(builder.load(place, align=self.align))
            added.append(builder.call(self.fma, [factor, vectors[v], total]))
        return added

    def _vectors_of(self, operand, row):
        """Where the vectors of a row lie."""
        places = []
        for v in range(self.vectors):
            column = self.number(v * self.vector.count)
            place = self._address(operand, row, column)
            places.append(self.builder.bitcast(place, self.vector.as_pointer()))
        return places

    def _address(self, operand, row, step):
        builder = self.builder
        in_rows = builder.mul(operand.row, row)
        in_steps = builder.mul(operand.step, step)
        offset = builder.add(operand.start, builder.add(in_rows, in_steps))
        return builder.gep(operand.values, [offset])

    def _load(self, places):
        return [self.builder.load(place, align=self.align) for place in places]

    def _broadcast(self, scalar):
        undefined = ir.Constant(self.vector, ir.Undefined)
        int32 = ir.IntType(32)
        lane_0 = self.builder.insert_element(undefined, scalar, int32(0))
        every_lane = ir.Constant(ir.VectorType(int32, self.vector.count), None)
        return self.builder.shuffle_vector(lane_0, undefined, every_lane)


_tile_1, _tile_2, _tile_3, _tile_4, _tile_5, _tile_6 = (_tile(rows, 2) for rows in range(1, 7))
_thin_1, _thin_2, _thin_3, _thin_4, _thin_5, _thin_6 = (_tile(rows, 1) for rows in range(1, 7))


@njit(inline="always")
def add_tile(rows, a, b, c, depth):
    """Add the product of `rows` rows of a and a panel of b to c."""
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


@njit(inline="always")
def add_thin_tile(rows, a, b, c, depth):
    """Add the product of `rows` rows of a and the first half of a panel of b to c."""
    if rows == 6:
        _thin_6(a, b, c, depth)
    elif rows == 5:
        _thin_5(a, b, c, depth)
    elif rows == 4:
        _thin_4(a, b, c, depth)
    elif rows == 3:
        _thin_3(a, b, c, depth)
    elif rows == 2:
        _thin_2(a, b, c, depth)
    else:
        _thin_1(a, b, c, depth)
