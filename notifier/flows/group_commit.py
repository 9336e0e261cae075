"""Items that arrive together share one transaction; each caller is answered after its commit."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from notifier.errors import StoreConflictError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

Item = TypeVar("Item")
Result = TypeVar("Result")

CONFLICTS: Final = 5
"""How often a group that met another transaction is tried; one of the two gets through."""


class GroupCommit(Generic[Item, Result]):
    """Gathers calls while a group is under way, and runs ``flow`` on all that have gathered.

    A group that fails is replayed item by item, so that one poisoned item fails alone. A caller
    that goes away does not cancel the group.
    """

    def __init__(
        self, flow: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]], *, most: int = 256
    ) -> None:
        self._flow = flow
        self._most = most
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._worker: asyncio.Task[None] | None = None

    async def __call__(self, item: Item) -> Result:
        """The result of ``item``, once it is committed; raises what the flow raised for it."""
        return (await self.all([item]))[0]

    async def all(self, items: Sequence[Item]) -> list[Result]:
        """As ``__call__``, for items that one caller brings together."""
        loop = asyncio.get_running_loop()
        futures: list[asyncio.Future[Result]] = [loop.create_future() for _ in items]
        self._waiting.extend(zip(items, futures, strict=True))
        if self._worker is None or self._worker.done():
            self._worker = loop.create_task(self._work())
        return await asyncio.gather(*futures)

    async def drain(self) -> None:
        """Returns once nothing is waiting."""
        while self._worker is not None and not self._worker.done():
            await asyncio.wait([self._worker])

    async def _work(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            try:
                results = await self._tried([item for item, _ in group])
            except Exception as error:  # noqa: BLE001 - whatever it is, its callers are told
                await self._replay(group, error)
            else:
                for (_, future), result in zip(group, results, strict=True):
                    _give(future, result)

    async def _tried(self, items: Sequence[Item]) -> Sequence[Result]:
        for _ in range(CONFLICTS - 1):
            try:
                return await self._flow(items)
            except StoreConflictError:
                continue
        return await self._flow(items)

    async def _replay(
        self, group: Sequence[tuple[Item, asyncio.Future[Result]]], error: Exception
    ) -> None:
        """Each item alone, its caller still there or not; one that was alone is not tried twice."""
        if len(group) == 1:
            _refuse(group[0][1], error)
            return
        for item, future in group:
            try:
                [result] = await self._tried([item])
            except Exception as alone:  # noqa: BLE001 - as above
                _refuse(future, alone)
            else:
                _give(future, result)


def _give(future: asyncio.Future[Result], result: Result) -> None:
    if not future.done():  # else its caller has gone away
        future.set_result(result)


def _refuse(future: asyncio.Future[Result], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
