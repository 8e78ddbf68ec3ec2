"""Settings of the bottlenecks: what a person may choose, with its limits; torch is imported only to build."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from narrows.errors import LimitError, UsageError
from narrows.settings import Settings

if TYPE_CHECKING:
    from narrows.bottleneck.code import Bottleneck


class Narrow(Settings):
    """What every bottleneck has: a size, and a largest size for the objects at hand."""

    overcomplete: ClassVar[int] = 1

    size: Annotated[int, Field(ge=1, le=65_536)] = 64
    """Numbers in the code of one object, K."""

    @property
    def numbers(self) -> int:
        """Numbers that pass at each place of the code."""
        return self.size

    def check(self, values: int, places: int = 1) -> None:
        """Refuse a code of `places` larger than an object of `values` numbers, or than a sparse code may be."""
        limit = self.overcomplete * values // places
        if self.numbers > limit:
            where = f" at each of {places} places" if places > 1 else ""
            raise LimitError(
                f"{self.numbers} numbers{where}, from bottleneck.size={self.size}",
                expected=f"at most {limit} for objects of {values} numbers",
                step="A code that is not narrower than the object has nothing to learn: choose a smaller size",
                code="limit.code",
            )

    def build(self, features: int, values: int) -> Bottleneck:
        """The module from `features` to `size` numbers, for objects of `values` numbers."""
        raise NotImplementedError


class Plain(Narrow):
    """A linear projection, nothing more."""

    kind: Literal["plain"] = "plain"

    def build(self, features: int, values: int) -> Bottleneck:
        from narrows.bottleneck.plain import PlainBottleneck

        return PlainBottleneck(self, features)


class SparseL1(Narrow):
    """Few numbers of the code far from zero: the sum of their sizes costs."""

    overcomplete: ClassVar[int] = 8
    kind: Literal["sparse-l1"] = "sparse-l1"
    weight: Annotated[float, Field(ge=0, le=1e3)] = 1e-3
    """What a code value of size 1 costs, in units of the reconstruction error."""

    def build(self, features: int, values: int) -> Bottleneck:
        from narrows.bottleneck.sparse import L1Bottleneck

        return L1Bottleneck(self, features)


class SparseKL(Narrow):
    """Code values between 0 and 1, each unit active a stated share of the time."""

    overcomplete: ClassVar[int] = 8
    kind: Literal["sparse-kl"] = "sparse-kl"
    rate: Annotated[float, Field(gt=0, lt=1)] = 0.05
    """Mean activity asked of every unit, between 0 and 1."""
    weight: Annotated[float, Field(ge=0, le=1e3)] = 1e-3
    """Cost of one nat of divergence from that activity."""

    def build(self, features: int, values: int) -> Bottleneck:
        from narrows.bottleneck.sparse import KLBottleneck

        return KLBottleneck(self, features)


class SparseTopK(Narrow):
    """Only the k largest numbers of each code pass; the others are zero."""

    overcomplete: ClassVar[int] = 8
    kind: Literal["sparse-topk"] = "sparse-topk"
    k: Annotated[int, Field(ge=1, le=65_536)] = 8
    """Numbers that pass, by absolute value."""

    def check(self, values: int, places: int = 1) -> None:
        super().check(values, places)
        if self.k > self.size:
            raise UsageError(f"bottleneck.k={self.k}", expected=f"at most bottleneck.size={self.size}", code="usage.k")

    def build(self, features: int, values: int) -> Bottleneck:
        from narrows.bottleneck.sparse import TopKBottleneck

        return TopKBottleneck(self, features)


class Contractive(Narrow):
    """A code that hardly moves when the input moves a little: the squared slope costs."""

    kind: Literal["contractive"] = "contractive"
    weight: Annotated[float, Field(ge=0, le=1e3)] = 1e-3
    """Cost of the squared Frobenius norm of dz / dx."""

    def build(self, features: int, values: int) -> Bottleneck:
        from narrows.bottleneck.plain import ContractiveBottleneck

        return ContractiveBottleneck(self, features)


class Variational(Narrow):
    """A cloud instead of a point: mean and variance per number, drawn towards the standard normal (a VAE)."""

    kind: Literal["variational"] = "variational"
    beta: Annotated[float, Field(ge=0, le=1e4)] = 0.1
    """Cost of one nat, beside the squared error summed over the object. With mse it equals twice the noise variance."""
    warm_up: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Share of the training over which beta grows from 0."""

    def build(self, features: int, values: int) -> Bottleneck:
        from narrows.bottleneck.variational import VariationalBottleneck

        return VariationalBottleneck(self, features, values)


class VQ(Narrow):
    """Each group of numbers becomes the nearest entry of a learned codebook (VQ-VAE)."""

    kind: Literal["vq"] = "vq"
    group: Annotated[int, Field(ge=1, le=4096)] = 4
    """Numbers a codebook entry stands for; must divide the size."""
    entries: Annotated[int, Field(ge=2, le=65_536)] = 256
    """Entries of each codebook; one index costs log2(entries) bits."""
    commitment: Annotated[float, Field(ge=0, le=100)] = 0.25
    """Cost of the squared distance of the code to its entry."""
    decay: Annotated[float, Field(ge=0, lt=1)] = 0.99
    """Memory of the moving averages that move the entries."""

    @property
    def numbers(self) -> int:
        return self.size // self.group

    def check(self, values: int, places: int = 1) -> None:
        super().check(values, places)
        if self.size % self.group:
            message = f"bottleneck.group={self.group}"
            raise UsageError(message, expected=f"a divisor of bottleneck.size={self.size}", code="usage.group")

    def build(self, features: int, values: int) -> Bottleneck:
        from narrows.bottleneck.quantised import VQBottleneck

        return VQBottleneck(self, features)


class FSQ(Narrow):
    """Each number rounded to one of a few levels: whole numbers without a codebook."""

    kind: Literal["fsq"] = "fsq"
    levels: Annotated[int, Field(ge=2, le=256)] = 8
    """Levels of each number; a number costs log2(levels) bits."""

    def build(self, features: int, values: int) -> Bottleneck:
        from narrows.bottleneck.quantised import FSQBottleneck

        return FSQBottleneck(self, features)
