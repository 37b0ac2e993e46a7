"""The catalogue of web products: data about archives and viewers, one YAML file for each, read once and validated.

It names what a page of the product shows, what of it is public on purpose, where its DICOMweb root tends to be, and at
most two further questions that are asked only of what was recognised as this product. It holds no password, no weakness
and no question that a study could match.
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
# Plain segments, so that no path climbs, names another host or holds a query of its own making: the only query is one
# whose value is `{uid}`, or a key of DICOM with that behind a colon.
_SEGMENT = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
AskPath = Annotated[
    str, StringConstraints(pattern=rf"^/?{_SEGMENT}(/{_SEGMENT})*(\?[a-z]+=([A-Za-z]+:)?\{{uid\}})?$", max_length=120)
]
Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", min_length=4, max_length=40)]

MOST_ASKS = 2
"""How many questions of its own a product may have: as many requests more are made of a service."""


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


class Ask(_Data):
    """One question of a product's own, asked where the product was recognised, and what its answer can show.

    `path` is joined to the folder of the page where it is relative, to the origin where it begins with a slash. `{uid}`
    in it stands for a fresh random UID. Of a DICOMweb service, which has no page, only the latter are asked.

    `shows` is `configuration` for a file that tells a browser where the archive is and whether to log in, in one of the
    formats `ohif` (the script app-config.js), `keycloak` (its adapter's JSON, or `{}` where there is no login) and
    `json` (any members; hosts and roots are looked for in their values). It is `rest` for a question whose answer
    holds no data, in `timestamp` (a plain time stamp, of text/plain) or `json` (an object that has all of `keys`, and
    under `empty` an empty array); `sign` then says in words what is seen where the interface is open.
    """

    path: AskPath
    shows: Literal["configuration", "rest"]
    format: Literal["ohif", "keycloak", "json", "timestamp"]
    sign: Text | None = None
    keys: tuple[Key, ...] = Field(default=(), max_length=8)
    empty: Key | None = None

    @model_validator(mode="after")
    def _can_be_read(self) -> Ask:
        rest = self.shows == "rest"
        wrong = [
            (rest and self.format not in ("json", "timestamp"), "a REST answer is json or a timestamp"),
            (not rest and self.format == "timestamp", "a configuration is no timestamp"),
            (rest != (self.sign is not None), "a sign in words belongs to a REST question, and to nothing else"),
            (
                (rest and self.format == "json") != bool(self.keys or self.empty is not None),
                "keys and an empty list belong to a REST answer in JSON, which needs one of them",
            ),
            ("{uid}" in self.path and self.empty is None, "what is searched for must come back as an empty list"),
        ]
        for is_wrong, message in wrong:
            if is_wrong:
                raise ValueError(message)
        return self


class Product(_Data):
    """One product.

    `page` says what its page means where it is shown without a login: `protected` pages are served by the archive only
    to those whom it lets in, so that seeing one shows the archive open; `public` pages are a shell that says nothing
    about the data behind it. `public_by_design` lists paths that stay public although the archive asks for a login.
    `markers` are empty for what is nothing but a way to answer: it is never named, only described.
    In `dicomweb_roots`, `{aet}` stands for the archive's AE title. `asks` are its own questions, in order.
    """

    id: ProductId
    name: Text
    kind: Literal["archive", "viewer", "platform"]
    page: Literal["protected", "public"]
    markers: tuple[Marker, ...] = Field(max_length=12)
    public_by_design: tuple[Path, ...] = ()
    dicomweb_roots: tuple[Path, ...] = ()
    canary: Literal["series-of-a-random-study"] | None = None
    asks: tuple[Ask, ...] = Field(default=(), max_length=MOST_ASKS)
    open_signs: tuple[Text, ...] = ()
    gate_signs: tuple[Text, ...] = ()
    caution: Text | None = None
    source: Text

    @model_validator(mode="after")
    def _asks_only_where_it_can(self) -> Product:
        if (self.canary is None) != (not self.dicomweb_roots):
            message = "a canary needs a DICOMweb root, and a root needs a canary"
            raise ValueError(message)
        if not self.markers and self.canary is None:
            message = "what has no marker can only be known by what it answers to a canary"
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
