"""The levels of government that handle dossiers: by the registry, else by how a name begins."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from notifier.domain.text import fold

if TYPE_CHECKING:
    from collections.abc import Mapping


class Tier(StrEnum):
    """A level. Districts were abolished on 1 July 2025, and stand in dossiers of before."""

    MINISTRY = "ministry"
    PROVINCE = "province"
    DISTRICT = "district"
    COMMUNE = "commune"


TIER_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "vi": {
        Tier.MINISTRY: "Cấp bộ",
        Tier.PROVINCE: "Cấp tỉnh",
        Tier.DISTRICT: "Cấp huyện (trước 01/7/2025)",
        Tier.COMMUNE: "Cấp xã",
        "": "Chưa rõ cấp",
    },
    "en": {
        Tier.MINISTRY: "Ministry",
        Tier.PROVINCE: "Province",
        Tier.DISTRICT: "District (before 1 July 2025)",
        Tier.COMMUNE: "Commune",
        "": "Level not known",
    },
}


def tier_of(name: str, beginnings: Mapping[str, Tier]) -> Tier | None:
    """The level of a unit whose name begins so, by the longest of the folded ``beginnings``."""
    words = fold(name).split()
    for count in range(len(words), 0, -1):
        found = beginnings.get(" ".join(words[:count]))
        if found is not None:
            return found
    return None
