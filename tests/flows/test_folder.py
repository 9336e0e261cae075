"""A watched folder: a file is taken once, whole, when it is complete, and whatever happens then."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import exchange_samples as samples
import pytest
from builders import code

from notifier.domain.instant import SECOND
from notifier.flows.group_commit import GroupCommit
from notifier.settings import FolderSource
from notifier.sources.folder import WatchedFolder

if TYPE_CHECKING:
    from pathlib import Path

    from builders import Centre

SETTLE = 5 * SECOND


def record(number: int, **said: Any) -> bytes:
    said = {"MaHoSo": code(number), "TrangThaiHoSo": 4, **said}
    return json.dumps(said).encode() + b"\n"


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    path = tmp_path / "inbox"
    path.mkdir()
    return path


def watching(centre: Centre, inbox: Path, **settings: Any) -> WatchedFolder:
    table = FolderSource.model_validate({"kind": "folder", "path": str(inbox), **settings})
    return WatchedFolder(
        "files", table, samples.reader(), GroupCommit(centre.ingest).all, centre.clock
    )


async def settled(centre: Centre, folder: WatchedFolder) -> int:
    """It is looked at, and again when what lies there has settled."""
    await folder.look()
    centre.clock.now += SETTLE
    return await folder.look()


def names(inbox: Path) -> list[str]:
    return sorted(str(p.relative_to(inbox)) for p in inbox.rglob("*") if p.is_file())


async def codes(centre: Centre) -> list[str]:
    async with centre.store.read() as session:
        return [dossier.code for dossier in await session.list_dossiers("", 100)]


async def test_a_complete_file_is_taken_and_moved(centre: Centre, inbox: Path) -> None:
    (inbox / "a.ndjson").write_bytes(record(1) + b"{broken\n" + record(2))
    folder = watching(centre, inbox)
    assert await settled(centre, folder) == 1
    assert await codes(centre) == [code(1), code(2)]
    assert names(inbox) == ["done/a.ndjson"]
    assert [row[0] for row in centre.rows("SELECT door FROM quarantine")] == ["sources/exchange"]
    assert await settled(centre, folder) == 0


async def test_a_file_that_grows_is_left_until_it_rests(centre: Centre, inbox: Path) -> None:
    file = inbox / "a.ndjson"
    folder = watching(centre, inbox)
    for number in (1, 2, 3):
        with file.open("ab") as growing:
            growing.write(record(number))
        assert await folder.look() == 0
        centre.clock.now += SETTLE
    assert await codes(centre) == []
    assert await folder.look() == 1
    assert await codes(centre) == [code(1), code(2), code(3)]


@pytest.mark.parametrize("name", ["a.ndjson.part", "a.tmp", ".a.ndjson", "b.ndjson"])
async def test_a_name_that_is_not_ours_yet(centre: Centre, inbox: Path, name: str) -> None:
    (inbox / name).write_bytes(record(1))
    folder = watching(centre, inbox, pattern="a*")
    assert await settled(centre, folder) == 0
    (inbox / name).rename(inbox / "a-1.ndjson")
    assert await settled(centre, folder) == 1


async def test_what_is_no_file_of_ours_goes_aside(centre: Centre, inbox: Path) -> None:
    (inbox / "a.xlsx").write_bytes(b"no workbook")
    (inbox / "b.ndjson").write_bytes(record(1))
    folder = watching(centre, inbox)
    assert await settled(centre, folder) == 1
    assert names(inbox) == ["done/b.ndjson", "failed/a.xlsx"]


async def test_a_name_that_comes_again_replaces_nothing(centre: Centre, inbox: Path) -> None:
    folder = watching(centre, inbox)
    for number in (1, 2, 3):
        (inbox / "a.ndjson").write_bytes(record(number))
        assert await settled(centre, folder) == 1
    assert names(inbox) == ["done/a-2.ndjson", "done/a-3.ndjson", "done/a.ndjson"]
    assert len(await codes(centre)) == 3


async def test_a_death_between_the_commit_and_the_move_changes_nothing(
    centre: Centre, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (inbox / "a.ndjson").write_bytes(record(1) + record(1, TrangThaiHoSo=6) + record(1))

    def die(*_: Any) -> None:
        raise OSError("the process died here")

    with monkeypatch.context() as patch:
        patch.setattr("notifier.sources.folder._move", die)
        folder = watching(centre, inbox)
        await folder.look()
        centre.clock.now += SETTLE
        with pytest.raises(OSError, match="died"):
            await folder.look()
    before = centre.rows("SELECT source, id FROM event ORDER BY id")
    assert len(before) == 3
    await centre.restart()
    assert await settled(centre, watching(centre, inbox)) == 1
    assert centre.rows("SELECT source, id FROM event ORDER BY id") == before
    assert names(inbox) == ["done/a.ndjson"]


async def test_a_store_that_fails_leaves_the_file(centre: Centre, inbox: Path) -> None:
    (inbox / "a.ndjson").write_bytes(record(1))
    folder = watching(centre, inbox)
    await centre.store.close()
    await folder.look()
    centre.clock.now += SETTLE
    with pytest.raises(Exception, match="open"):
        await folder.look()
    assert names(inbox) == ["a.ndjson"]


async def test_it_looks_by_itself_and_says_how_it_is(centre: Centre, inbox: Path) -> None:
    from builders import until

    folder = watching(centre, inbox, settle="0s", every="1s")
    (inbox / "a.ndjson").write_bytes(record(1))
    await folder.start()
    await until(lambda: names(inbox) == ["done/a.ndjson"])
    assert folder.health().state == "ok"
    await folder.stop()
