"""The catalogue of web products: data about archives and viewers, one YAML file for each, read once and validated.

It names what a page of the product shows, what of it is public on purpose, and where its DICOMweb root tends to be. It
holds no password, no weakness and nothing that changes what a device is asked; it only helps to name what answered.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

ProductId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=400)]
# A shorter marker than this would be found in pages of anybody.
MarkerText = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, min_length=6, max_length=120)]
Path = Annotated[str, StringConstraints(pattern=r"^/[^\s?#]*$", max_length=120)]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Marker(_Data):
    """One sign of a product, compared without regard to case.

    `title` (of an HTML page) and `realm` (of a challenge) are compared whole, or from their start where `starts` is
    true; `body` is looked for anywhere in the first bytes of a page.
    """

    where: Literal["title", "realm", "body"]
    text: MarkerText
    starts: bool = False


class Product(_Data):
    """One product.

    `page` says what its page means where it is shown without a login: `protected` pages are served by the archive only
    to those whom it lets in, so that seeing one shows the archive open; `public` pages are a shell that says nothing
    about the data behind it. `public_by_design` lists paths that stay public although the archive asks for a login.
    In `dicomweb_roots`, `{aet}` stands for the archive's AE title.
    """

    id: ProductId
    name: Text
    kind: Literal["archive", "viewer", "platform"]
    page: Literal["protected", "public"]
    markers: tuple[Marker, ...] = Field(min_length=1, max_length=12)
    public_by_design: tuple[Path, ...] = ()
    dicomweb_roots: tuple[Path, ...] = ()
    canary: Literal["series-of-a-random-study"] | None = None
    open_signs: tuple[Text, ...] = ()
    gate_signs: tuple[Text, ...] = ()
    caution: Text | None = None
    source: Text

    @model_validator(mode="after")
    def _asks_only_where_it_can(self) -> Product:
        if (self.canary is None) != (not self.dicomweb_roots):
            message = "a canary needs a DICOMweb root, and a root needs a canary"
            raise ValueError(message)
        return self


def read_product(text: str) -> Product:
    """One product from the YAML text of its file; `ValueError` where it is not valid."""
    return Product.model_validate(yaml.safe_load(text))


def catalogue_files() -> tuple[Traversable, ...]:
    """The files of the catalogue, by name."""
    folder = files("checker.catalog").joinpath("web")
    return tuple(sorted((file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name))


@cache
def products() -> tuple[Product, ...]:
    """Every product of the catalogue, in the order of its file names."""
    return tuple(read_product(file.read_text(encoding="utf-8")) for file in catalogue_files())


@cache
def _by_id() -> dict[str, Product]:
    return {product.id: product for product in products()}


def product(product_id: str | None) -> Product | None:
    """The product with this id; None where there is none, such as for observations of a later version."""
    return None if product_id is None else _by_id().get(product_id)
