"""The demonstration's page: simulated phones, a clock to move, events to push, a carrier to break.

Everything it does goes the way of the real thing: an event is posted to the event API, a text to
the gateway's hook. The page is drawn on the server, region by region; a browser with scripts gets
the regions that changed over one stream, one without reloads the page.
"""

from __future__ import annotations

from notifier.web.simulator.page import SimulatorPage
from notifier.web.simulator.story import Story, read_story
from notifier.web.simulator.world import DossierLine, OutboxLine, Pushed, SimulatedWorld

__all__ = [
    "DossierLine",
    "OutboxLine",
    "Pushed",
    "SimulatedWorld",
    "SimulatorPage",
    "Story",
    "read_story",
]
