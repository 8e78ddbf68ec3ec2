"""The base of every settings class: frozen, closed to unknown fields, plain JSON both ways."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """Settings of one part of a recipe: unknown fields are refused, and nothing changes after creation."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, validate_default=True)

    def with_(self, **changes: Any) -> Self:
        """The same settings with some fields changed, checked again."""
        return type(self).model_validate({**self.model_dump(), **changes})
