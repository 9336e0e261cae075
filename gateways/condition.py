"""How a gateway is, and since when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notifier.ports import Health, HealthState

if TYPE_CHECKING:
    from notifier.ports import Clock


class Condition:
    """The latest known health; ``since`` moves only when the state changes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.health = Health(state=HealthState.OK, since=clock.elapsed())

    def note(self, state: HealthState, reason: str = "") -> None:
        """``reason`` is a sentence without numbers, names and secrets; empty when all is well."""
        unchanged = state is self.health.state
        since = self.health.since if unchanged else self._clock.elapsed()
        self.health = Health(state=state, since=since, reason=reason)
